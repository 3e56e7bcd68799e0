-- name: hold
-- Keeps new messages of the conversation out until the commit, so that what is counted next stays true.
select unread from conversations where account_id = $1 and id = $2 for no key update

-- name: unseen
-- How many inbound messages of the conversation came after this one; null if this one is not of it.
select count(m.id)
from messages seen
left join messages m on m.account_id = seen.account_id and m.conversation_id = seen.conversation_id
    and m.direction = 'inbound' and m.id > seen.id
where seen.account_id = $1 and seen.conversation_id = $2 and seen.id = $3
group by seen.id

-- name: mark
-- Sets how many messages are unread and tells of it ($4), if that is news.
with marked as (
    update conversations set unread = $3
    where account_id = $1 and id = $2 and unread <> $3
    returning account_id, id
), told as (
    insert into events (account_id, kind, conversation_id) select account_id, $4, id from marked
)
select count(*) from marked

-- name: close
with closed as (
    update conversations set closed_at = now()
    where account_id = $1 and id = $2 and closed_at is null
    returning account_id, id
), told as (
    insert into events (account_id, kind, conversation_id)
    select account_id, 'conversation.closed', id from closed
)
select count(*) from closed

-- name: reopen
with reopened as (
    update conversations set closed_at = null
    where account_id = $1 and id = $2 and closed_at is not null
    returning account_id, id
), told as (
    insert into events (account_id, kind, conversation_id)
    select account_id, 'conversation.reopened', id from reopened
)
select count(*) from reopened

-- name: exists
select exists (select from conversations where account_id = $1 and id = $2)

-- name: unread
-- How many conversations have something unread, counted up to $2.
select count(*) from (select from conversations where account_id = $1 and unread > 0 limit $2) found

-- name: put_failures
-- Tells of it: who was told of the message alone may have looked before this was written.
with put as (
    insert into failures (account_id, conversation_id, message_id)
    select $1, * from unnest($2::bigint[], $3::uuid[])
    on conflict do nothing
    returning account_id, conversation_id
)
insert into events (account_id, kind, conversation_id)
select distinct account_id, 'conversation.failed', conversation_id from put

-- name: drop_failures
with dropped as (
    delete from failures f
    using unnest($2::bigint[], $3::uuid[]) u (conversation_id, message_id)
    where f.account_id = $1 and f.conversation_id = u.conversation_id and f.message_id = u.message_id
    returning f.account_id, f.conversation_id
)
insert into events (account_id, kind, conversation_id)
select distinct account_id, 'conversation.mended', conversation_id from dropped
