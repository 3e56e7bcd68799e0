-- name: forget_raw
-- Deletes a few raw webhooks that are past their time; unparsed ones wait for their replay.
-- Keys are in order of time, so looking at each account's oldest rows is enough, and needs no index on time.
delete from inbound_events
where (account_id, id) in (
    select a.id, oldest.id
    from accounts a
    cross join lateral (
        select id, received_at from inbound_events
        where account_id = a.id and state <> 'unparsed'
        order by id
        limit $2
    ) oldest
    where oldest.received_at < now() - make_interval(days => $1)
)

-- name: forget_events
-- Deletes a few of each account's oldest events.
delete from events
where (account_id, xid, id) in (
    select a.id, oldest.xid, oldest.id
    from accounts a
    cross join lateral (
        select xid, id, at from events
        where account_id = a.id
        order by xid, id
        limit $2
    ) oldest
    where oldest.at < now() - make_interval(days => $1)
)

-- name: forget_limits
-- Deletes a few allowances that are full again.
delete from rate_limits
where (kind, subject) in (select kind, subject from rate_limits where until < now() limit $1)
