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
    insert into threads (account_id, key, conversation_id)
    select account_id, thread_key, id from numbered
)
update accounts a
set conversations = n.newest
from (select account_id, max(id) as newest, count(*) as opened from numbered group by account_id) n
where a.id = n.account_id
returning n.opened

-- name: latest
-- One page of the list, newest first, after a cursor (all nulls: from the top) or an offset.
-- The limit comes before the look at the last message: one index probe for each row shown.
select c.*, m.body as last_body, m.direction as last_direction, m.channel as last_channel
from (
    select *
    from conversations
    where account_id = $1
        and ($2::timestamptz is null or (last_activity_at, id) < ($2, $3::bigint))
    order by last_activity_at desc, id desc
    limit $4 offset $5
) c
left join lateral (
    select left(body, 65536) as body, direction, channel
    from messages
    where account_id = c.account_id and conversation_id = c.id
    order by occurred_at desc, id desc
    limit 1
) m on true
order by c.last_activity_at desc, c.id desc

-- name: total
-- How many conversations an account has; the counter is exact, so nothing is counted.
select conversations from accounts where id = $1

-- name: by_number
select c.*, m.body as last_body, m.direction as last_direction, m.channel as last_channel
from conversations c
left join lateral (
    select left(body, 65536) as body, direction, channel
    from messages
    where account_id = c.account_id and conversation_id = c.id
    order by occurred_at desc, id desc
    limit 1
) m on true
where c.account_id = $1 and c.id = $2

-- name: number_of_uuid
select id from conversations where account_id = $1 and uuid = $2 order by id limit 1

-- name: number_of_key
select conversation_id from threads where account_id = $1 and key = $2
