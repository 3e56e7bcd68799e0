-- The inbox: what is read and closed, words to find, followers of the feed and what they keep.

alter table conversations
    add column unread    integer not null default 0,  -- inbound messages that nobody has seen yet
    add column closed_at timestamptz;                 -- the next inbound message opens it again

-- A half each instead of one for all: a message moves one entry as before, and a short list of open ones is
-- found at once among any number of closed ones. The whole list merges both.
drop index conversations_latest;
create index conversations_open on conversations (account_id, last_activity_at desc, id desc)
    where closed_at is null;
create index conversations_closed on conversations (account_id, last_activity_at desc, id desc)
    where closed_at is not null;
create index conversations_unread on conversations (account_id, last_activity_at desc, id desc)
    where unread > 0;

-- Who follows the feed and how far he came; what he keeps is written in the same transaction.
create table followers (
    account_id bigint not null references accounts (id),
    name       text not null,
    xid        xid8 not null default '0',
    id         bigint not null default 0,
    primary key (account_id, name)
) with (fillfactor = 50);

-- The words of every message, put on shelves of some ten thousand in the order of arrival. The shelf is a token
-- of its own: the index skips to it, so that a common word costs one shelf and a rare one a glance at each.
create table message_words (
    account_id      bigint not null,
    conversation_id bigint not null,
    message_id      uuid not null,
    words           tsvector not null,
    primary key (account_id, conversation_id, message_id)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Its follower empties the pending list itself, outside of any transaction that holds the feed back.
create index message_words_words on message_words using gin (words) with (gin_pending_list_limit = 65536);

create table shelves (
    account_id bigint primary key,
    number     integer not null,
    filled     integer not null
) with (fillfactor = 50);

-- Who a conversation is with: the name he goes by, and the words and digits of name and address.
create table conversation_words (
    account_id      bigint not null,
    conversation_id bigint not null,
    name            text,
    words           tsvector not null,
    primary key (account_id, conversation_id)
);

create index conversation_words_words on conversation_words using gin (words) with (fastupdate = off);

-- The outbound messages that did not get through.
create table failures (
    account_id      bigint not null,
    conversation_id bigint not null,
    message_id      uuid not null,
    primary key (account_id, conversation_id, message_id)
);

-- What states a conversation is in, for searches; lists by state have their indexes.
create view conversation_states as
select
    c.account_id, c.id, c.channels, c.last_activity_at, c.closed_at,
    array[
        case when c.closed_at is null then 'open' else 'closed' end,
        case when c.unread > 0 then 'unread' end,
        case when c.closed_at is null and exists (
            select from failures f where f.account_id = c.account_id and f.conversation_id = c.id
        ) then 'failed' end
    ] as states
from conversations c;

-- How many messages took on a status, by the minute.
create table minutes (
    account_id bigint not null,
    minute     timestamptz not null,
    status     text not null,
    channel    text not null,
    provider   text not null,
    messages   bigint not null,
    primary key (account_id, minute, status, channel, provider)
) with (fillfactor = 50);
