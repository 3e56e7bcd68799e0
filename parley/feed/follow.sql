-- name: accounts_behind
-- The accounts in which something became certain that the follower $1 has not taken.
select a.id
from accounts a
left join followers f on f.account_id = a.id and f.name = $1 and f.xid <= pg_snapshot_xmax(pg_current_snapshot())
where exists (
    select from events e
    where e.account_id = a.id and (e.xid, e.id) > (coalesce(f.xid, '0'), coalesce(f.id, 0))
        and e.xid < feed_horizon()
)
order by a.id

-- name: alone
-- Keeps other processes out until the end of the transaction; a lock on a row would hold the feed back.
select pg_try_advisory_xact_lock(hashtextextended('parley follower ' || $1 || ' ' || $2::bigint, 0))

-- name: position
-- Where a follower stands; nowhere, if his place is from another life of this database, as after a restore.
select xid::text, id
from followers
where account_id = $1 and name = $2 and xid <= pg_snapshot_xmax(pg_current_snapshot())

-- name: move
insert into followers (account_id, name, xid, id)
values ($1, $2, $3::text::xid8, $4)
on conflict (account_id, name) do update set xid = excluded.xid, id = excluded.id
