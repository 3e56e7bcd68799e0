-- name: unparsed
-- The next webhooks that were not understood, the oldest first.
select account_id, id, source, url, headers, body, error
from inbound_events
where state = 'unparsed' and (account_id, id) > ($1, $2)
order by account_id, id
limit $3

-- name: replayed
update inbound_events set state = 'replayed', error = null where account_id = $1 and id = $2

-- name: still_unparsed
update inbound_events set error = $3 where account_id = $1 and id = $2
