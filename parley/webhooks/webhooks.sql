-- name: keep
-- Keeps raw webhooks as they came; $1 is a JSON array of raw events.
insert into inbound_events (account_id, id, source, url, headers, body, state, error)
select account_id, id, source, url, headers, decode(body, 'base64'), state, error
from json_to_recordset($1::json) as r (
    account_id bigint, id uuid, source text, url text, headers jsonb, body text, state text, error text
)
order by account_id, id

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
