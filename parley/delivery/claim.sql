-- The queue is empty most of the time, and the planner believes that of it even when it has just filled: given the
-- choice it would read all of it. So rows are found by lateral look-ups, which cannot be turned round, and changed
-- by the `ctid` under which they have just been locked.

-- name: claim
-- Takes what may go out now. Whatever it looks at it takes or moves out of the way (behind an earlier message,
-- to the sender's next turn, to the end of a breaker), so that nothing is looked at again and again in vain.
-- $1 routes as JSON, $2 rows at most, $3 the account after which to begin, $4 lease in seconds,
-- $5 this claim's id, $6 segments a second and sender (0: unpaced)
with recursive route as materialized (
    select * from json_to_recordset($1::json) as r (
        channel text, n int, size int, provider text, room int, opens_in float8
    )
), visit as (
    -- The accounts that have ready work, one index jump each, in turn: none can fill the batch alone.
    select c.channel, p.priority, $3::bigint as account_id, 0 as turn, false as wrapped
    from (select distinct channel from route where room > 0) c
    cross join (values (0::smallint), (1::smallint)) p (priority)
    union all
    select v.channel, v.priority, n.account_id, v.turn + 1, n.wrapped
    from visit v
    cross join lateral (
        (
            select d.account_id, v.wrapped
            from deliveries d
            where d.state = 'ready' and d.channel = v.channel and d.priority = v.priority
                and d.account_id > v.account_id and (not v.wrapped or d.account_id <= $3)
            order by d.account_id, d.position  -- the position keeps the planner to the index of ready rows
            limit 1
        )
        union all
        (
            select d.account_id, true
            from deliveries d
            where d.state = 'ready' and d.channel = v.channel and d.priority = v.priority
                and d.account_id <= $3 and not v.wrapped
            order by d.account_id, d.position
            limit 1
        )
        limit 1
    ) n
    where v.turn < 64
), candidate as materialized (
    select d.*, v.turn
    from visit v
    cross join lateral (
        select
            ctid as tid, account_id, conversation_id, position, channel, priority, sender, segments, phase, provider
        from deliveries
        where state = 'ready' and channel = v.channel and priority = v.priority and account_id = v.account_id
        order by position
        limit (select least($2::int, greatest(4, 2 * $2::int / greatest(count(*), 1))) from visit where turn > 0)
        for update skip locked
    ) d
    where v.turn > 0
), looked as materialized (
    select
        c.*, h.position as head,
        row_number() over (partition by c.priority, c.account_id order by c.position) as place
    from candidate c
    cross join lateral (
        select position from deliveries d
        where d.account_id = c.account_id and d.conversation_id = c.conversation_id
        order by d.position
        limit 1
    ) h
), ahead as materialized (
    -- Only behind a row that we hold: its remover then waits for us, and sees what is behind.
    select h.account_id, h.conversation_id
    from (select distinct account_id, conversation_id, head from looked where head < position) l
    cross join lateral (
        select d.account_id, d.conversation_id
        from deliveries d
        where d.account_id = l.account_id and d.conversation_id = l.conversation_id and d.position = l.head
        for key share skip locked
    ) h
), routed as materialized (
    -- The next provider after the one that surely did not take it; in doubt, only the same one.
    select l.*, coalesce(r.provider, l.provider) as carrier, coalesce(r.room, 1) as room, r.opens_in
    from looked l
    left join lateral (
        select r.provider, r.room, r.opens_in
        from route r
        where r.channel = l.channel
            and case when l.phase = 'send' then r.room > 0 else r.provider = l.provider end
        order by (
            r.n + r.size - 1
            - coalesce((select k.n from route k where k.channel = l.channel and k.provider = l.provider), -1)
        ) % r.size
        limit 1
    ) r on true
    where l.head = l.position
), bucket as materialized (
    select account_id, sender, free_at, planned_to
    from senders
    where $6::float8 > 0 and (account_id, sender) in (
        select account_id, sender from routed where channel <> 'email' and phase <> 'ask'
    )
    order by account_id, sender
    for update
), timed as materialized (
    -- The bucket holds a second's worth, and never less than what lets a worker be a little late without loss.
    -- `before` is what others of this claim take out first.
    select
        r.*, b.planned_to, u.paced,
        greatest(
            coalesce(b.free_at, '-infinity'), now() - greatest(0.25, 1 - 1 / nullif($6::float8, 0)) * interval '1 second'
        ) as free_at,
        sum(r.segments) over w - r.segments as before
    from routed r
    cross join lateral (select $6::float8 > 0 and r.channel <> 'email' and r.phase <> 'ask' as paced) u
    left join bucket b on u.paced and b.account_id = r.account_id and b.sender = r.sender
    where r.room > 0
    window w as (partition by r.account_id, r.sender, u.paced order by r.priority, r.place, r.position)
), turned as materialized (
    select t.*, s.slot, not paced or slot <= now() as its_turn
    from timed t
    cross join lateral (select free_at + before / nullif($6::float8, 0) * interval '1 second' as slot) s
), chosen as materialized (
    select * from (
        select
            t.*,
            row_number() over (partition by carrier order by priority, place, turn, position) as nth,
            row_number() over (order by priority, place, turn, position) as nth_of_all
        from turned t
        where its_turn
    ) t
    where nth <= room and nth_of_all <= $2::int
), planned as materialized (
    -- Urgent ones and near misses keep to the front, the others line up where the sender's plan ends: each of a
    -- hundred thousand is moved once, to a moment of its own.
    select
        tid, account_id, sender, segments / $6::float8 * interval '1 second' as lasts, lined_up,
        case when lined_up
            then greatest(planned_to, min(slot) over w)
                + (sum(segments) over (w order by place, position) - segments) / $6::float8 * interval '1 second'
            else slot
        end as due_at
    from turned
    cross join lateral (select priority > 0 and slot > now() + interval '2 seconds' as lined_up) l
    where not its_turn
    window w as (partition by account_id, sender, lined_up)
), charged as (
    insert into senders (account_id, sender, free_at, planned_to)
    select account_id, sender, max(free_at), max(planned_to)
    from (
        select account_id, sender, min(free_at) + sum(segments) / $6::float8 * interval '1 second', '-infinity'::timestamptz
        from chosen
        where paced
        group by account_id, sender
        union all
        select account_id, sender, '-infinity', max(due_at + lasts)
        from planned
        where lined_up
        group by account_id, sender
    ) s (account_id, sender, free_at, planned_to)
    group by account_id, sender
    order by account_id, sender
    -- Known senders are locked above. Of a new one two claims may both take the first bucketful, once.
    on conflict (account_id, sender) do update
    set free_at = greatest(senders.free_at, excluded.free_at),
        planned_to = greatest(senders.planned_to, excluded.planned_to)
), moved as (
    update deliveries d
    set state = m.state, due_at = m.due_at
    from (
        -- An hour is not meant to pass: whoever removes the earlier message wakes the later one.
        select tid, 'behind' as state, now() + interval '1 hour' as due_at
        from looked
        where head < position and (account_id, conversation_id) in (select account_id, conversation_id from ahead)
        union all
        select tid, 'waiting', due_at from planned
        union all
        select tid, 'waiting', now() + (coalesce(opens_in, 1) + random()) * interval '1 second'
        from routed
        where phase <> 'send' and room = 0
    ) m
    where d.ctid = m.tid
), taken as (
    update deliveries d
    set state = 'claimed', due_at = now() + $4::float8 * interval '1 second', claimed_at = now(), claimed_by = $5::uuid,
        provider = c.carrier, attempts = d.attempts + case when d.phase = 'ask' then 0 else 1 end
    from chosen c
    where d.ctid = c.tid
    returning d.*, c.turn
)
select
    t.account_id, t.conversation_id, t.position, t.message_id, t.claimed_at, t.claimed_by, t.provider, t.phase,
    t.attempts, t.forgiven, t.asked, t.doubt_since, t.turn,
    m.channel, m.from_address, m.to_address, m.subject, m.body, m.cc, m.bcc, m.reply_to, m.attachments,
    status_rank(m.status) >= 2 or m.provider_message_id is not null as reported
from taken t
join messages m on m.account_id = t.account_id and m.id = t.message_id
