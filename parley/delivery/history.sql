-- name: attempts
select n, provider, started_at, ended_at, outcome, http_status, code, detail, next_at
from attempts
where account_id = $1 and message_id = $2
order by n
