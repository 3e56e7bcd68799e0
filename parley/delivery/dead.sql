-- name: letters
-- One page of what was given up, the newest message first, after a cursor (null: from the beginning).
select
    d.message_id, d.died_at, d.attempts, d.code,
    m.conversation_id::text as conversation_id, m.channel, m.from_address, m.to_address, m.provider, m.error
from dead_letters d
join messages m on m.account_id = d.account_id and m.id = d.message_id
where d.account_id = $1 and ($2::uuid is null or d.message_id < $2)
order by d.message_id desc
limit $3

-- name: retry
-- Puts failed messages ($2) back into the queue, at the end of their conversation and with a fresh allowance of
-- attempts. What providers say of the earlier attempts no longer counts: those ids are only in the history.
with failed as materialized (
    select account_id, id, conversation_id, channel, from_address, segments, priority
    from messages
    where account_id = $1 and id = any($2::uuid[]) and direction = 'outbound'
        and status in ('failed', 'undelivered')
    order by account_id, id
    for no key update
), reset as (
    update messages m
    set status = 'queued', status_at = now(), provider = null, provider_message_id = null,
        error_code = null, error = null
    from failed f
    where m.account_id = f.account_id and m.id = f.id
), raised as (
    delete from dead_letters d using failed f where d.account_id = f.account_id and d.message_id = f.id
), turn as materialized (
    -- As in `store`: a place in a conversation's queue is drawn under its lock.
    select c.account_id, c.id
    from conversations c
    where (c.account_id, c.id) in (select account_id, conversation_id from failed)
    order by c.account_id, c.id
    for no key update
), due as (
    insert into deliveries (
        account_id, message_id, conversation_id, channel, sender, segments, priority, due_at, attempts, forgiven
    )
    select
        f.account_id, f.id, f.conversation_id, f.channel, f.from_address, f.segments, f.priority, now(), n, n
    from failed f
    join turn t on t.account_id = f.account_id and t.id = f.conversation_id
    cross join lateral (
        select coalesce(max(a.n), 0) as n from attempts a where a.account_id = f.account_id and a.message_id = f.id
    ) tried
    order by f.id
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.status', conversation_id, id, 'queued' from failed
)
select id from failed order by id

-- name: cancel
-- Takes a message out of the queue, if no provider has it or may have it. The lock waits for a claim or an end
-- that is being written, and then sees it: either the worker has the message or it is cancelled.
with found as materialized (
    select d.account_id, d.conversation_id, d.position, d.state, d.phase
    from messages m
    join deliveries d on d.account_id = m.account_id and d.conversation_id = m.conversation_id
        and d.message_id = m.id
    where m.account_id = $1 and m.id = $2
    for update of d
), gone as (
    delete from deliveries d using found f
    where d.account_id = f.account_id and d.conversation_id = f.conversation_id and d.position = f.position
        and f.state <> 'claimed' and f.phase = 'send'
    returning d.account_id, d.conversation_id, d.message_id
), canceled as (
    update messages m
    set status = 'canceled', status_at = now()
    from gone g
    where m.account_id = g.account_id and m.id = g.message_id
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.status', conversation_id, message_id, 'canceled' from gone
)
select follow(account_id, conversation_id) from gone

-- name: exists
select true from messages where account_id = $1 and id = $2 and direction = 'outbound'

-- name: count
-- How many were given up, counted up to $2.
select count(*) from (select from dead_letters where account_id = $1 limit $2) letters
