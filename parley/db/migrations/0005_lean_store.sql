-- A conversation's UUID is looked for among the threads: on conversations every message that moves one in the list
-- would have to renew its entry. Not unique: it hashes both addresses joined, and 12|345 joins to the same text as 123|45.
-- Databases that a development version made may have some of this already.
alter table threads add column if not exists uuid uuid;
update threads t set uuid = c.uuid from conversations c
where c.account_id = t.account_id and c.id = t.conversation_id and t.uuid is null;
alter table threads alter column uuid set not null;
create index if not exists threads_uuid on threads (account_id, uuid);
drop index if exists conversations_uuid;

-- The number comes from `threads`, which has such a key, in the statement that inserts; checking it again for each row,
-- against a conversation that this statement has just changed, was a tenth of its cost.
alter table messages drop constraint if exists messages_account_id_conversation_id_fkey;
