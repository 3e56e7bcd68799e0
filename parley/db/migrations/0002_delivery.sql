-- Delivery: the queue's states, what providers say of messages, breakers, pacing, what was given up, who works.

-- ready    may be claimed now
-- claimed  an attempt or a look-up is under way; when `due_at` passes, its worker is dead
-- waiting  for `due_at`: the next try, the next look, the sender's turn
-- behind   an earlier message of the same conversation; whoever removes that one wakes this one
--
-- send     no provider has it: any provider of the channel may be tried
-- ask      a provider may have it: find out before anything else happens
-- resend   nobody can tell; the policy says once more, to the same provider
alter table deliveries
    drop constraint deliveries_pkey,
    -- The order within a conversation. Drawn here, since the clocks behind the message ids may differ.
    add column position bigint generated always as identity,
    add column state text not null default 'ready' check (state in ('ready', 'claimed', 'waiting', 'behind')),
    add column phase text not null default 'send' check (phase in ('send', 'ask', 'resend')),
    add column forgiven smallint not null default 0,  -- attempts that do not count, as somebody asked for new ones
    add column asked smallint not null default 0,     -- look-ups that failed since the doubt arose
    add column doubt_since timestamptz,               -- when the attempt began of which nobody knows the end
    add constraint deliveries_priority check (priority in (0, 1)),
    add primary key (account_id, conversation_id, position);

-- A claim moves the row between partial indexes, which is never a HOT update: room for those would be wasted.
-- The file keeps its size: cutting it takes a lock on everybody, and an empty file tempts the planner to scan it.
alter table deliveries set (
    fillfactor = 100, vacuum_truncate = off,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 500
);

drop index deliveries_due;
create index deliveries_ready on deliveries (channel, priority, account_id, position) where state = 'ready';
create index deliveries_due on deliveries (due_at) where state in ('waiting', 'behind');
-- Apart from those: nearly all claims are settled long before they are due, and leave a trail of dead entries.
create index deliveries_leases on deliveries (due_at) where state = 'claimed';

-- Wakes what waits behind a delivery that has just been removed. A volatile function looks anew, unlike the
-- statement that calls it: so it also sees what a claim has put behind that delivery meanwhile, for a claim puts
-- nothing behind a row that it cannot lock, and the remover waits for that lock.
create function follow(account bigint, conversation bigint) returns void language plpgsql volatile as $$
begin
    update deliveries d
    set state = 'ready', due_at = now()
    where d.account_id = account and d.conversation_id = conversation and d.state = 'behind'
        and d.position = (
            select h.position from deliveries h
            where h.account_id = account and h.conversation_id = conversation
            order by h.position
            limit 1
        );
end
$$;

-- Statuses of messages whose provider id we do not know yet: the provider was faster than our own commit, or
-- the message is somebody else's. They are applied when the id arrives, and forgotten after a while.
create table early_statuses (
    id                  bigint primary key generated always as identity,
    account_id          bigint not null,
    provider            text not null,
    provider_message_id text not null,
    message_id          uuid,
    status              text not null,
    occurred_at         timestamptz,
    code                text,
    detail              text,
    received_at         timestamptz not null default now()
);

create index early_statuses_key on early_statuses (account_id, provider, provider_message_id);
create index early_statuses_age on early_statuses (received_at);

-- One breaker a provider, shared by all workers; `version` lets exactly one of them make each transition.
create table breakers (
    provider      text primary key,
    state         text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
    failures      integer not null default 0,
    until         timestamptz,
    version       bigint not null default 0,
    changed_at    timestamptz not null default now(),
    last_error    text,
    last_error_at timestamptz
) with (fillfactor = 50);

-- One token bucket a sender, kept as times: when what it sent is paid off, and how far its queue is planned.
create table senders (
    account_id bigint not null,
    sender     text not null,
    free_at    timestamptz not null,
    planned_to timestamptz not null,
    primary key (account_id, sender)
) with (fillfactor = 50);

-- What was given up and may be tried again by hand. Giving up is our guess: a provider's word overrules it.
create table dead_letters (
    account_id bigint not null,
    message_id uuid not null,
    died_at    timestamptz not null default now(),
    attempts   smallint not null,
    code       text,
    primary key (account_id, message_id)
);

create table workers (
    id         uuid primary key,
    name       text not null,
    started_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    in_hand    integer not null default 0
) with (fillfactor = 50);
