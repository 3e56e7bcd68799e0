-- name: begin
-- Where a look stands; a look that is new begins with what is sent from now on.
insert into report_looks (look, through) values ($1, $2)
on conflict (look) do update set look = excluded.look
returning through

-- name: advance
-- Moves a look on, unless another worker did so first.
update report_looks set through = $3 where look = $1 and through = $2 returning look

-- name: silent
-- The messages between two ids that were sent and not heard of since; ids are in order of time.
select m.account_id, m.id, m.provider, m.provider_message_id
from accounts a
join messages m on m.account_id = a.id
where m.id > $1 and m.id <= $2 and m.status = 'sent' and m.direction = 'outbound'
order by m.id
limit $3

-- name: give_up
-- Writes down that no report came; the status stays what it is, for a report may yet come.
update messages set error_code = 'no_report', error = 'the provider took it and never said what became of it'
where (account_id, id) in (
    select * from unnest($1::bigint[], $2::uuid[])
) and status = 'sent'
