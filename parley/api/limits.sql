-- name: take
-- Takes one request's worth out of a subject's allowance: a full minute's allowance may go at once, then it
-- comes back evenly. `until` is when the allowance will be full again; it never moves past a minute from now.
with asked as (
    select $1::text as kind, $2::text as subject, interval '1 minute' / $3::int as worth
), taken as (
    insert into rate_limits as r (kind, subject, until)
    select kind, subject, now() + worth from asked
    on conflict (kind, subject) do update
    set until = greatest(r.until, now()) + (excluded.until - now())
    where greatest(r.until, now()) + (excluded.until - now()) <= now() + interval '1 minute'
    returning until
)
select
    exists (select from taken) as allowed,
    extract(epoch from coalesce((select until from taken), r.until, now()) - now())::float8 as until_full
from asked
left join rate_limits r on r.kind = asked.kind and r.subject = asked.subject
