-- name: merge
-- Merges reports ($1, a JSON array) into the messages they are about. The highest rank wins, whatever the order
-- and the repetition; among equal ranks the earliest report, so that even its error is the same every time.
-- Keeps the requests that brought them ($2, a JSON array) in the same commit.
-- Answers what changed, which deliveries a report has settled, and what has to wait for its message's id.
with kept as (
    insert into inbound_events (account_id, id, source, url, headers, body, state, error)
    select account_id, id, source, url, headers, decode(body, 'base64'), state, error
    from json_to_recordset($2::json) as r (
        account_id bigint, id uuid, source text, url text, headers jsonb, body text, state text, error text
    )
    order by account_id, id
), report as materialized (
    select r.*, row_number() over () as n
    from json_to_recordset($1::json) as r (
        account_id bigint, provider text, provider_message_id text, message_id uuid,
        status text, occurred_at timestamptz, code text, detail text
    )
), ours as materialized (
    select r.*, m.id, m.conversation_id, m.status as was, m.provider_message_id as had
    from report r
    join messages m on m.account_id = r.account_id and m.id = r.message_id and m.direction = 'outbound'
), known as materialized (
    select * from ours
    union all
    select r.*, m.id, m.conversation_id, m.status, m.provider_message_id
    from report r
    join messages m on m.account_id = r.account_id and m.direction = 'outbound'
        and m.provider = r.provider and m.provider_message_id = r.provider_message_id
    where r.n not in (select n from ours)
), head as materialized (
    -- What is under way or in doubt is the first of its conversation: the rest of the queue is not looked at.
    select distinct k.account_id, k.conversation_id, k.id, h.position
    from known k
    cross join lateral (
        select d.position, d.message_id from deliveries d
        where d.account_id = k.account_id and d.conversation_id = k.conversation_id
        order by d.position
        limit 1
    ) h
    where status_rank(k.was) < 2 and h.message_id = k.id
), held as materialized (
    -- Locked: where an attempt is being settled this waits for its end, and sees it.
    select d.*
    from (select * from head order by account_id, conversation_id, position) h
    cross join lateral (
        select d.account_id, d.message_id, d.state, d.phase, d.attempts, d.attempts - d.forgiven as tries
        from deliveries d
        where d.account_id = h.account_id and d.conversation_id = h.conversation_id and d.position = h.position
        for update
    ) d
), judged as materialized (
    select
        k.*, h.state, h.phase,
        case
            -- Nobody can have been given a message whose turn has not come.
            when h.attempts = 0 or (k.was = 'queued' and t.id is null) then 'stale'
            -- It is about an attempt before the one that counts now.
            when k.had is distinct from k.provider_message_id and exists (
                select from attempts a
                where a.account_id = k.account_id and a.message_id = k.id
                    and a.provider_message_id = k.provider_message_id
            ) then 'stale'
            -- A failure while the message is on its way again: which attempt failed shows when the id is known.
            when status_rank(k.status) in (4, 5) and h.phase <> 'ask' and (h.state <> 'claimed' or h.tries > 1)
                then 'early'
            else 'good'
        end as verdict
    from known k
    left join head t on t.account_id = k.account_id and t.id = k.id
    left join held h on h.account_id = k.account_id and h.message_id = k.id
), best as materialized (
    select distinct on (account_id, id) *
    from judged
    where verdict = 'good'
    order by account_id, id, status_rank(status) desc, status desc,
        code is null, code, detail is null, detail, occurred_at
), locked as materialized (
    select
        b.account_id, b.id, b.conversation_id, b.provider, b.provider_message_id, b.state, b.phase,
        coalesce(b.occurred_at, now()) as occurred_at, b.code, b.detail,
        m.status as was, m.status_at as was_at, m.error_code as was_code, m.error as was_error,
        m.provider_message_id as had, g.message_id is not null as given_up,
        -- Whatever a provider says of a message that we doubt or gave up: it has it.
        case
            when status_rank(b.status) < 2 and (b.state <> 'claimed' or g.message_id is not null) then 'sent'
            else b.status
        end as becomes
    from best b
    join messages m on m.account_id = b.account_id and m.id = b.id
    left join dead_letters g on g.account_id = b.account_id and g.message_id = b.id
    order by b.account_id, b.id
    for no key update of m
), weighed as materialized (
    select
        l.*,
        case
            when given_up then true
            when status_rank(becomes) <> status_rank(was) then status_rank(becomes) > status_rank(was)
            when becomes <> was then becomes > was
            else status_rank(was) > 2
                and (code is null, coalesce(code, ''), detail is null, coalesce(detail, ''), occurred_at)
                  < (was_code is null, coalesce(was_code, ''), was_error is null, coalesce(was_error, ''),
                    coalesce(was_at, 'infinity'))
        end as wins,
        had is null and provider_message_id is not null and not exists (
            select from messages o
            where o.account_id = l.account_id and o.provider = l.provider
                and o.provider_message_id = l.provider_message_id
        ) as names
    from locked l
), merged as (
    update messages m
    set status = case when w.wins then w.becomes else m.status end,
        status_at = case when w.wins then w.occurred_at else m.status_at end,
        error_code = case when w.wins then w.code else m.error_code end,
        error = case when w.wins then w.detail else m.error end,
        provider = case when w.names then w.provider else m.provider end,
        provider_message_id = case when w.names then w.provider_message_id else m.provider_message_id end
    from weighed w
    where m.account_id = w.account_id and m.id = w.id and (w.wins or w.names)
    returning w.account_id, w.id, w.conversation_id, w.was, m.status, w.given_up
), revived as (
    delete from dead_letters g using merged w
    where w.given_up and g.account_id = w.account_id and g.message_id = w.id
), told as (
    insert into events (account_id, kind, conversation_id, message_id, status)
    select account_id, 'message.status', conversation_id, id, status from merged where status <> was
    returning account_id, conversation_id, message_id
), early as (
    insert into early_statuses (
        account_id, provider, provider_message_id, message_id, status, occurred_at, code, detail
    )
    select account_id, provider, provider_message_id, message_id, status, occurred_at, code, detail
    from report
    where provider_message_id is not null and (
        n not in (select n from known) or n in (select n from judged where verdict = 'early')
    )
    returning account_id, provider, provider_message_id
)
select 'changed' as what, account_id, conversation_id, message_id, null as provider, null as provider_message_id
from told
union all
select 'settled', account_id, conversation_id, id, null, null
from weighed
where state <> 'claimed'
union all
select 'early', account_id, null, null, provider, provider_message_id
from early

-- name: let_go
-- Removes deliveries ($1, a JSON array of messages) that a report has settled, unless they are under way, whose
-- worker will see the report too. Their conversations go on.
with settled as materialized (
    select * from json_to_recordset($1::json) as s (account_id bigint, conversation_id bigint, message_id uuid)
), gone as (
    delete from deliveries d using settled s
    where d.account_id = s.account_id and d.conversation_id = s.conversation_id and d.message_id = s.message_id
        and d.state <> 'claimed'
    returning d.account_id, d.conversation_id, d.message_id, d.attempts
), explained as (
    update attempts a
    set outcome = 'accepted', code = null, detail = 'the provider reported on it', next_at = null
    from gone g
    where a.account_id = g.account_id and a.message_id = g.message_id and a.n = g.attempts
        and a.outcome = 'unknown'
)
select follow(account_id, conversation_id) from gone

-- name: early_of
-- The waiting reports on messages ($1, a JSON array of provider ids) whose id is known now.
select e.*
from json_to_recordset($1::json) as k (account_id bigint, provider text, provider_message_id text)
join early_statuses e on e.account_id = k.account_id and e.provider = k.provider
    and e.provider_message_id = k.provider_message_id
join messages m on m.account_id = e.account_id and m.provider = e.provider
    and m.provider_message_id = e.provider_message_id
order by e.id

-- name: early_lately
-- The same without the ids: what a process that died between two commits has left behind.
select e.*
from early_statuses e
join messages m on m.account_id = e.account_id and m.provider = e.provider
    and m.provider_message_id = e.provider_message_id
where e.received_at > now() - interval '10 minutes'
limit 500

-- name: adopted
delete from early_statuses where id = any($1::bigint[])

-- name: expire
-- A day is enough for every provider to answer the request whose report came before the answer.
delete from early_statuses
where id in (select id from early_statuses where received_at < now() - interval '1 day' order by received_at limit 5000)
