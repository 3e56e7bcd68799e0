-- name: read
select b.provider, b.state, b.failures, b.until, b.version, now() as now
from breakers b
where b.provider = any($1::text[])

-- name: write
-- Changes a breaker unless somebody else was faster; a version of 0 is that of a breaker not yet written.
insert into breakers as b (provider, state, failures, until, version, last_error, last_error_at)
values ($1, $3, $4, $5, 1, $6, case when $6::text is not null then now() end)
on conflict (provider) do update
set state = excluded.state, failures = excluded.failures, until = excluded.until, version = b.version + 1,
    changed_at = case when b.state = excluded.state then b.changed_at else now() end,
    last_error = coalesce(excluded.last_error, b.last_error),
    last_error_at = coalesce(excluded.last_error_at, b.last_error_at)
where b.version = $2
returning true
