-- name: store
-- Stores a batch of messages in both directions; $1 is a JSON array of drafts.
-- Answers one row a draft, but none for a draft whose thread is not there yet, or which lost a race for its
-- idempotency key or provider id against a batch that committed meanwhile: such drafts are simply sent again.
with draft as materialized (
    select *
    from json_to_recordset($1::json) as d (
        account_id bigint, id uuid, direction text, channel text, thread_key text,
        from_address text, to_address text, from_raw text, to_raw text,
        subject text, body text, cc text[], bcc text[], reply_to text, attachments text[],
        status text, provider text, provider_message_id text,
        idempotency_key text, request_hash text, segments smallint, priority smallint, occurred_at timestamptz,
        source text, raw text
    )
), seen as materialized (
    select d.id as draft_id, m.id, m.conversation_id, m.provider_message_id, m.request_hash
    from draft d
    join messages m on m.account_id = d.account_id and m.idempotency_key = d.idempotency_key
    union all
    select d.id, m.id, m.conversation_id, m.provider_message_id, m.request_hash
    from draft d
    join messages m on m.account_id = d.account_id
        and m.provider = d.provider and m.provider_message_id = d.provider_message_id
), fresh as materialized (
    select d.*, t.conversation_id
    from draft d
    join threads t on t.account_id = d.account_id and t.key = d.thread_key
    where d.id not in (select draft_id from seen)  -- hashed, where an anti join would compare all with all
), stored as (
    -- Unique keys are taken in order, so that two batches with the same repeats wait instead of deadlocking.
    insert into messages (
        account_id, id, conversation_id, direction, channel, from_address, to_address, from_raw, to_raw,
        subject, body, cc, bcc, reply_to, attachments, status, provider, provider_message_id,
        idempotency_key, request_hash, segments, priority, occurred_at
    )
    select
        account_id, id, conversation_id, direction, channel, from_address, to_address, from_raw, to_raw,
        subject, body, cc, bcc, reply_to, attachments, status, provider, provider_message_id,
        idempotency_key, request_hash, segments, priority, occurred_at
    from fresh
    order by account_id, idempotency_key, provider, provider_message_id, id
    on conflict do nothing
    returning
        account_id, id, conversation_id, direction, channel, from_address, status, segments, priority, occurred_at
), tally as materialized (
    select
        s.account_id, s.conversation_id,
        count(*) as messages,
        count(*) filter (where s.direction = 'inbound') as inbound,
        array_agg(distinct s.channel) as channels,
        max(s.occurred_at) as last_at
    from stored s
    group by s.account_id, s.conversation_id
), locked as materialized (
    -- Ordered: writers on the same hot conversations queue up behind each other instead of deadlocking.
    select c.account_id, c.id, t.messages, t.inbound, t.channels, t.last_at
    from conversations c
    join tally t on t.account_id = c.account_id and t.conversation_id = c.id
    order by c.account_id, c.id
    for no key update of c
), grown as (
    update conversations c
    set message_count = c.message_count + l.messages,
        unread = c.unread + l.inbound,
        closed_at = case when l.inbound = 0 then c.closed_at end,
        channels = case
            when c.channels @> l.channels then c.channels
            else (select array_agg(distinct x order by x) from unnest(c.channels || l.channels) x)
        end,
        -- A message dated in the future must not hold the top of the list until that day.
        last_activity_at = greatest(c.last_activity_at, least(l.last_at, now()))
    from locked l
    where c.account_id = l.account_id and c.id = l.id
), due as (
    insert into deliveries (account_id, message_id, conversation_id, channel, sender, segments, priority, due_at)
    select s.account_id, s.id, s.conversation_id, s.channel, s.from_address, s.segments, s.priority, now()
    from stored s
    where s.direction = 'outbound'
        -- Positions are drawn once the conversations are locked: nobody who commits later stands before one who may be
        -- under way already.
        and (select count(*) from locked) > 0
    order by s.id  -- which draws the positions: a conversation's messages leave in the order in which they came
), kept as (
    insert into inbound_events (account_id, id, source, body, state)
    select account_id, id, source, decode(raw, 'base64'), 'parsed'
    from fresh
    where raw is not null
    on conflict do nothing
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.created', conversation_id, id, status
    from stored
    order by id
)
select s.id as draft_id, s.id, s.conversation_id, null as provider_message_id, null as request_hash, false as duplicate
from stored s
union all
select draft_id, id, conversation_id, provider_message_id, request_hash, true
from seen

-- name: thread
-- One page of a conversation, oldest first, after a cursor (all nulls: from the beginning) or an offset.
select *
from messages
where account_id = $1 and conversation_id = $2
    and ($3::timestamptz is null or (occurred_at, id) > ($3, $4::uuid))
order by occurred_at, id
limit $5 offset $6

-- name: thread_total
select message_count from conversations where account_id = $1 and id = $2

-- name: one
select * from messages where account_id = $1 and id = $2

-- name: latest
-- The last messages of a conversation, newest first.
select *
from messages
where account_id = $1 and conversation_id = $2
order by occurred_at desc, id desc
limit $3

-- name: since
-- What came into a conversation after a moment, in the order of arrival, which is the order of the ids.
select *
from messages
where account_id = $1 and conversation_id = $2 and created_at > $3
order by id
limit $4

-- name: before
-- One page of a conversation backwards: the messages before a position (nulls: the last ones), newest first.
select *
from messages
where account_id = $1 and conversation_id = $2
    and ($3::timestamptz is null or (occurred_at, id) < ($3, $4::uuid))
order by occurred_at desc, id desc
limit $5

-- name: around
-- Messages by their ids, each with the one before it and the one after it, in the conversation's order.
with wanted as materialized (
    select account_id, conversation_id, occurred_at, id
    from messages
    where account_id = $1 and conversation_id = $2 and id = any($3::uuid[])
), near as (
    select id from wanted
    union
    select b.id
    from wanted w
    cross join lateral (
        select id from messages
        where account_id = w.account_id and conversation_id = w.conversation_id
            and (occurred_at, id) < (w.occurred_at, w.id)
        order by occurred_at desc, id desc
        limit 1
    ) b
    union
    select a.id
    from wanted w
    cross join lateral (
        select id from messages
        where account_id = w.account_id and conversation_id = w.conversation_id
            and (occurred_at, id) > (w.occurred_at, w.id)
        order by occurred_at, id
        limit 1
    ) a
)
select m.*
from near n
join messages m on m.account_id = $1 and m.id = n.id
order by m.occurred_at, m.id
