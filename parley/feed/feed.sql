-- name: after
-- The events after a position, in the order in which they became certain.
-- Only those below the horizon: a writer that is still at work may yet commit an event
-- before them, and a reader who had gone past would never see it.
select xid::text, id, at, kind, conversation_id, message_id, status
from events
where account_id = $1
    and (xid, id) > ($2::text::xid8, $3)
    and xid < feed_horizon()
order by events.xid, events.id  -- the columns: `xid` alone would be the text above, where 1000 comes before 999
limit $4

-- name: newest
-- The position behind everything that a reader could see now.
select
    coalesce(e.xid, '0')::text as xid, coalesce(e.id, 0) as id
from (values (1)) always
left join lateral (
    select xid, id from events
    where account_id = $1 and xid < feed_horizon()
    order by xid desc, id desc
    limit 1
) e on true

-- name: back
-- The position after which there are $2 events that a reader could see now; none, if there are not so many.
select xid::text, id
from events
where account_id = $1 and xid < feed_horizon()
order by events.xid desc, events.id desc
offset $2 limit 1

-- name: is_ahead
-- Whether a position lies beyond this cluster's transactions, as after a restore into a new one.
select $1::text::xid8 > pg_snapshot_xmax(pg_current_snapshot())

-- name: is_lost
-- Whether what came after a position cannot be told any more: all up to it has been forgotten, so that something
-- behind it may be forgotten as well.
select not exists (select from events where account_id = $1 and (xid, id) <= ($2::text::xid8, $3))
