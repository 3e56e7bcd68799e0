-- The queue is empty most of the time, and the planner believes that of it even when it has just filled: given the
-- choice it would read all of it. So rows are found by lateral look-ups, which cannot be turned round, and changed
-- by the `ctid` under which they have just been locked.

-- name: ripen
-- Makes ready what has waited long enough ($1 rows at most). Answers how many, and when the next is due.
with due as materialized (
    select ctid as tid
    from deliveries
    where state in ('waiting', 'behind') and due_at <= now()
    order by due_at
    limit $1
    for update skip locked
), ripe as (
    update deliveries d
    set state = 'ready', due_at = now()
    from due
    where d.ctid = due.tid
    returning true
)
select
    (select count(*) from ripe) as ripened,
    extract(epoch from (
        select due_at from deliveries where state in ('waiting', 'behind') and due_at > now() order by due_at limit 1
    ) - now())::float8 as next_in

-- name: take_back
-- Takes back what dead workers held ($1 rows at most). Nobody knows whether their last request left: the attempt
-- is written down as unknown, and the message goes into doubt.
with lost as materialized (
    select ctid as tid, account_id, message_id, phase, attempts, provider, claimed_at
    from deliveries
    where state = 'claimed' and due_at <= now()
    order by due_at
    limit $1
    for update skip locked
), unknown as (
    insert into attempts (account_id, message_id, n, provider, started_at, ended_at, outcome, code, detail)
    select account_id, message_id, attempts, provider, claimed_at, now(), 'unknown', 'worker_lost',
        'the worker ended before the provider answered'
    from lost
    where phase <> 'ask'
    on conflict do nothing
), faced as materialized (
    select m.account_id, m.id, m.conversation_id
    from lost
    join messages m on m.account_id = lost.account_id and m.id = lost.message_id
    where m.status = 'queued'
    order by m.account_id, m.id
    for no key update of m
), shown as (
    update messages m set status = 'sending', status_at = now()
    from faced f
    where m.account_id = f.account_id and m.id = f.id
    returning m.account_id, m.conversation_id, m.id
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.status', conversation_id, id, 'sending' from shown
)
update deliveries d
set state = 'ready', due_at = now(), claimed_at = null, claimed_by = null, phase = 'ask',
    doubt_since = coalesce(d.doubt_since, lost.claimed_at)
from lost
where d.ctid = lost.tid
returning d.message_id

-- name: settle
-- Writes down how attempts and look-ups ended ($1, a JSON array), and what is to happen next.
-- Only for who still holds the claim; or brings certainty about the attempt that everybody else is in doubt of.
-- Lock order as everywhere: deliveries, then messages.
with ended as materialized (
    select * from json_to_recordset($1::json) as e (
        account_id bigint, conversation_id bigint, position bigint, message_id uuid, claim uuid, n smallint,
        provider text, started_at timestamptz, ended_at timestamptz, outcome text, http_status smallint,
        code text, detail text, provider_message_id text,
        status text, error_code text, error text, dead boolean,
        done boolean, wait float8, phase text, attempts smallint, asked smallint, doubt_since timestamptz
    )
), held as materialized (
    select e.*, d.tid
    from (select * from ended order by account_id, conversation_id, position) e
    cross join lateral (
        select ctid as tid
        from deliveries d
        where d.account_id = e.account_id and d.conversation_id = e.conversation_id and d.position = e.position
            and (
                d.claimed_by = e.claim
                or d.phase = 'ask' and d.attempts = e.n and e.outcome in ('accepted', 'rejected')
            )
        for update
    ) d
), faced as materialized (
    -- A report may have come in meanwhile: what a provider reports on, it has.
    select
        h.*, m.status as was,
        status_rank(m.status) >= 2 or m.provider_message_id is not null as proven,
        case
            when status_rank(m.status) >= 2 or h.status is null then m.status
            when m.provider_message_id is not null then 'sent'
            else h.status
        end as becomes
    from (select * from held order by account_id, message_id) h
    cross join lateral (
        select status, provider_message_id
        from messages m
        where m.account_id = h.account_id and m.id = h.message_id
        for no key update
    ) m
), changed as (
    update messages m
    set status = f.becomes,
        status_at = case when f.becomes <> f.was then f.ended_at else m.status_at end,
        error_code = case when f.becomes = 'failed' and f.was <> 'failed' then f.error_code else m.error_code end,
        error = case when f.becomes = 'failed' and f.was <> 'failed' then f.error else m.error end,
        provider = case when f.outcome = 'accepted' or m.provider is null then f.provider else m.provider end,
        provider_message_id = coalesce(f.provider_message_id, m.provider_message_id)
    from faced f
    where m.account_id = f.account_id and m.id = f.message_id
        and (f.becomes <> f.was or f.provider_message_id is not null)
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.status', conversation_id, message_id, becomes from faced where becomes <> was
), buried as (
    insert into dead_letters (account_id, message_id, died_at, attempts, code)
    select account_id, message_id, ended_at, n, error_code from faced where dead and not proven
), history as (
    -- After the locks: who takes back a lost claim also holds the delivery before it writes its attempt.
    insert into attempts (
        account_id, message_id, n, provider, started_at, ended_at, outcome, http_status, code, detail,
        provider_message_id, next_at
    )
    select
        account_id, message_id, n, provider, started_at, ended_at, outcome, http_status, code, detail,
        provider_message_id, case when not done then now() + wait * interval '1 second' end
    from ended
    where outcome is not null and (select count(*) from faced) >= 0
    on conflict (account_id, message_id, n) do update
    set outcome = excluded.outcome, code = excluded.code, detail = excluded.detail, next_at = excluded.next_at,
        http_status = coalesce(excluded.http_status, attempts.http_status),
        provider_message_id = excluded.provider_message_id
    where attempts.outcome = 'unknown'
), gone as (
    delete from deliveries d using faced f
    where d.ctid = f.tid and (f.done or f.proven)
    returning d.account_id, d.conversation_id, d.message_id, f.dead and not f.proven as dead
), kept as (
    update deliveries d
    set state = case when f.wait > 0 then 'waiting' else 'ready' end,
        due_at = now() + f.wait * interval '1 second',
        phase = f.phase, attempts = f.attempts, asked = f.asked, doubt_since = f.doubt_since,
        claimed_at = null, claimed_by = null
    from faced f
    where d.ctid = f.tid and not (f.done or f.proven)
    returning d.message_id
)
select message_id, true as gone, dead, follow(account_id, conversation_id) from gone
union all
select message_id, false, false, null from kept

-- name: siblings
-- The provider's ids of the conversation's other messages that it accepted since about the doubt arose.
select provider_message_id
from messages
where account_id = $1 and conversation_id = $2 and provider = $3 and id <> $4 and direction = 'outbound'
    and provider_message_id is not null and status_at > $5::timestamptz - interval '1 hour'
