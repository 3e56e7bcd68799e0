-- name: after
-- The events after a position, in the order in which they became certain.
-- Only those below the horizon: a writer that is still at work may yet commit an event
-- before them, and a reader who had gone past would never see it.
select xid::text, id, at, kind, conversation_id, message_id, status
from events
where account_id = $1
    and (xid, id) > ($2::text::xid8, $3)
    and xid < feed_horizon()
order by xid, id
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

-- name: is_ahead
-- Whether a position lies beyond this cluster's transactions, as after a restore into a new one.
select $1::text::xid8 > pg_snapshot_xmax(pg_current_snapshot())
