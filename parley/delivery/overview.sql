-- name: providers
-- All providers that are configured ($1), those without a failure yet included.
select
    p.provider, coalesce(b.state, 'closed') as state, coalesce(b.failures, 0) as failures, b.until, b.changed_at,
    b.last_error, b.last_error_at
from unnest($1::text[]) p (provider)
left join breakers b on b.provider = p.provider
order by p.provider

-- name: queues
-- What waits in each channel, counted up to $1 a state, so that a long queue costs no more than a short one.
-- The oldest is found at the heads of up to 100 accounts, which the index gives without reading the queue.
with recursive head as (
    select c.channel, p.priority, -1::bigint as account_id, null::timestamptz as due_at, 0 as turn
    from (values ('sms'), ('mms'), ('email')) c (channel)
    cross join (values (0::smallint), (1::smallint)) p (priority)
    union all
    select h.channel, h.priority, n.account_id, n.due_at, h.turn + 1
    from head h
    cross join lateral (
        select d.account_id, d.due_at
        from deliveries d
        where d.state = 'ready' and d.channel = h.channel and d.priority = h.priority
            and d.account_id > h.account_id
        order by d.account_id, d.position
        limit 1
    ) n
    where h.turn < 100
), later as materialized (
    select channel, state from deliveries where state <> 'ready' order by due_at limit $1
)
select
    c.channel,
    (
        select count(*)
        from (select from deliveries d where d.state = 'ready' and d.channel = c.channel limit $1) ready
    ) as ready,
    (select count(*) from later where later.channel = c.channel and state = 'claimed') as claimed,
    (select count(*) from later where later.channel = c.channel and state in ('waiting', 'behind')) as waiting,
    (select min(due_at) from head where head.channel = c.channel) as oldest_at
from (values ('sms'), ('mms'), ('email')) c (channel)

-- name: workers
select name, started_at, seen_at, in_hand from workers where seen_at > now() - interval '1 minute' order by started_at
