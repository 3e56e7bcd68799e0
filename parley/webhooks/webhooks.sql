-- name: keep_unparsed
-- Keeps a webhook that is authentic but not understood, as it came.
insert into inbound_events (account_id, id, source, url, headers, body, state, error)
values ($1, $2, $3, $4, $5::jsonb, $6, 'unparsed', $7)
