-- name: count
-- Adds up which statuses messages took on, by the minute.
insert into minutes (account_id, minute, status, channel, provider, messages)
select $1, date_trunc('minute', e.at, 'UTC'), e.status, m.channel, coalesce(m.provider, ''), count(*)
from unnest($2::uuid[], $3::text[], $4::timestamptz[]) e (message_id, status, at)
join messages m on m.account_id = $1 and m.id = e.message_id
group by 2, 3, 4, 5
order by 2, 3, 4, 5
on conflict (account_id, minute, status, channel, provider) do update
set messages = minutes.messages + excluded.messages

-- name: forget
delete from minutes where account_id = $1 and minute < now() - interval '2 days'

-- name: latest
-- What happened since a moment, minute by minute.
select minute, status, channel, provider, messages
from minutes
where account_id = $1 and minute >= $2
order by minute
