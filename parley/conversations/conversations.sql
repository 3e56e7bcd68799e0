-- name: lock_counters
-- Takes the accounts' counters, so that numbers are given out without gaps; to be held until the commit.
select id from accounts where id = any($1::bigint[]) order by id for no key update

-- name: open
-- Opens the conversations that are still missing, now that nobody else can; $1 is a JSON array of threads.
with wanted as (
    select distinct on (account_id, thread_key) *
    from rows from (
        json_to_recordset($1::json) as (
            account_id bigint, thread_key text, conversation_uuid uuid,
            conversation_channel text, participants text[], occurred_at timestamptz
        )
    ) with ordinality as w (account_id, thread_key, uuid, channel, participants, occurred_at, n)
    order by account_id, thread_key, n
), numbered as materialized (
    select w.*, a.conversations + row_number() over (partition by w.account_id order by w.n) as id
    from wanted w
    join accounts a on a.id = w.account_id
    where not exists (select from threads t where t.account_id = w.account_id and t.key = w.thread_key)
), opened as (
    insert into conversations (account_id, id, uuid, key, channel, participants, last_activity_at)
    select account_id, id, uuid, thread_key, channel, participants, least(occurred_at, now())
    from numbered
), threaded as (
    insert into threads (account_id, key, uuid, conversation_id)
    select account_id, thread_key, uuid, id from numbered
)
update accounts a
set conversations = n.newest
from (select account_id, max(id) as newest, count(*) as opened from numbered group by account_id) n
where a.id = n.account_id
returning n.opened

-- name: latest
-- The places of one page of the list, newest first, after a cursor (nulls: from the top) or an offset.
-- Each half comes in order from its index; the page is merged from their beginnings.
-- $2 time and $3 number of the cursor, $4 limit, $5 offset, $6 channels of which it has one (null: any)
(
    select id, last_activity_at
    from conversations
    where account_id = $1 and closed_at is null and ($6::text[] is null or channels && $6)
        and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
    order by last_activity_at desc, id desc
    limit $4::bigint + $5::bigint
)
union all
(
    select id, last_activity_at
    from conversations
    where account_id = $1 and closed_at is not null and ($6::text[] is null or channels && $6)
        and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
    order by last_activity_at desc, id desc
    limit $4::bigint + $5::bigint
)
order by last_activity_at desc, id desc
limit $4 offset $5

-- name: open_ones
-- As `latest`, but only those that are open.
select id, last_activity_at
from conversations
where account_id = $1 and closed_at is null and ($6::text[] is null or channels && $6)
    and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
order by last_activity_at desc, id desc
limit $4 offset $5

-- name: closed_ones
-- As `latest`, but only those that are closed.
select id, last_activity_at
from conversations
where account_id = $1 and closed_at is not null and ($6::text[] is null or channels && $6)
    and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
order by last_activity_at desc, id desc
limit $4 offset $5

-- name: unread_ones
-- As `latest`, but only those with something that nobody has seen.
select id, last_activity_at
from conversations
where account_id = $1 and unread > 0 and ($6::text[] is null or channels && $6)
    and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
order by last_activity_at desc, id desc
limit $4 offset $5

-- name: failed_ones
-- As `latest`, but only open ones with a message that did not get through.
select c.id, c.last_activity_at
from (select distinct conversation_id as id from failures where account_id = $1) f
join conversations c on c.account_id = $1 and c.id = f.id
where c.closed_at is null and ($6::text[] is null or c.channels && $6)
    and (c.last_activity_at, c.id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
order by c.last_activity_at desc, c.id desc
limit $4 offset $5

-- name: total
-- How many conversations an account has; the counter is exact, so nothing is counted.
select conversations from accounts where id = $1

-- name: rows
-- Conversations by their numbers, in that order, with their last message: one index probe for each.
select
    c.*, w.name, m.body as last_body, m.direction as last_direction, m.channel as last_channel,
    m.from_address as last_from, m.to_address as last_to,
    exists (select from failures f where f.account_id = c.account_id and f.conversation_id = c.id) as failed
from unnest($2::bigint[]) with ordinality asked (id, place)
join conversations c on c.account_id = $1 and c.id = asked.id
left join conversation_words w on w.account_id = c.account_id and w.conversation_id = c.id
left join lateral (
    select left(body, 65536) as body, direction, channel, from_address, to_address
    from messages
    where account_id = c.account_id and conversation_id = c.id
    order by occurred_at desc, id desc
    limit 1
) m on true
order by asked.place

-- name: number_of_uuid
select conversation_id from threads where account_id = $1 and uuid = $2 order by conversation_id limit 1

-- name: number_of_key
select conversation_id from threads where account_id = $1 and key = $2
