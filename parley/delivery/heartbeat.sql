-- name: beat
-- Shows that a worker lives, and forgets those that have not for a day.
with forgotten as (
    delete from workers where seen_at < now() - interval '1 day' and id <> $1
)
insert into workers (id, name, in_hand) values ($1, $2, $3)
on conflict (id) do update set seen_at = now(), in_hand = excluded.in_hand

-- name: stop
delete from workers where id = $1

-- name: alive
select exists (select from workers where seen_at > now() - $1 * interval '1 second')
