-- name: messages
-- What there is to index of new messages.
select id, conversation_id, direction, channel, from_address, to_address, from_raw, to_raw, subject,
    left(body, 65536) as body
from messages
where account_id = $1 and id = any($2::uuid[])
order by id

-- name: known
-- The conversations that are indexed already, and under which name.
select conversation_id, name from conversation_words where account_id = $1 and conversation_id = any($2::bigint[])

-- name: shelf
select number, filled from shelves where account_id = $1

-- name: put_shelf
insert into shelves (account_id, number, filled)
values ($1, $2, $3)
on conflict (account_id) do update set number = excluded.number, filled = excluded.filled

-- name: put_messages
insert into message_words (account_id, conversation_id, message_id, words)
select $1, w.conversation_id, w.message_id, w.words::tsvector
from unnest($2::bigint[], $3::uuid[], $4::text[]) w (conversation_id, message_id, words)
on conflict do nothing

-- name: put_conversations
insert into conversation_words (account_id, conversation_id, name, words)
select $1, w.conversation_id, w.name, w.words::tsvector
from unnest($2::bigint[], $3::text[], $4::text[]) w (conversation_id, name, words)
on conflict (account_id, conversation_id) do update set name = excluded.name, words = excluded.words

-- name: tidy
-- Moves what was indexed lately from the list that every search reads through into the index proper.
select gin_clean_pending_list('message_words_words')
