-- name: lately
-- Of the conversations that were active lately, before a place in the list, those that are found by name, address
-- or number: whatever is common is found here.
-- $2 time and $3 number of the place, $4 limit, $5 what is asked, $6 state, $7 channels, $8 how many to look through
select c.id, c.last_activity_at
from (
    (
        select * from conversation_states
        where account_id = $1 and closed_at is null
            and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
        order by last_activity_at desc, id desc
        limit $8
    )
    union all
    (
        select * from conversation_states
        where account_id = $1 and closed_at is not null
            and (last_activity_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
        order by last_activity_at desc, id desc
        limit $8
    )
    order by last_activity_at desc, id desc
    limit $8
) c
join conversation_words w on w.account_id = $1 and w.conversation_id = c.id
where ts_match_vq(w.words, $5::text::tsquery)
    and ($6::text is null or $6 = any(c.states)) and ($7::text[] is null or c.channels && $7)
order by c.last_activity_at desc, c.id desc
limit $4

-- name: ever
-- As `lately`, but of all conversations: for what is rare.
select c.id, c.last_activity_at
from conversation_words w
join conversation_states c on c.account_id = w.account_id and c.id = w.conversation_id
where w.account_id = $1 and w.words @@ $5::text::tsquery
    and (c.last_activity_at, c.id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
    and ($6::text is null or $6 = any(c.states)) and ($7::text[] is null or c.channels && $7)
order by c.last_activity_at desc, c.id desc
limit $4

-- name: shelf
-- The newest shelf.
select number from shelves where account_id = $1

-- name: on_shelves
-- The conversations in which the words stand, each at its newest such message, shelf by shelf until there are
-- enough. The index finds what may fit ($2); whether it fits ($3) is decided at the row, in a form that the planner
-- does not take for an index condition. Conversations that are found by their names ($4) are no matter of words.
-- $5 first and $6 last shelf, $7 message before which to begin on the first, $8 limit, $9 state
select s.shelf, h.message_id, h.conversation_id
from generate_series($5::int, $6::int, -1) s (shelf)
cross join lateral (
    select w.message_id, w.conversation_id
    from message_words w
    where w.account_id = $1
        and w.words @@ concat_ws(' & ', nullif($2::text, ''), '''#' || $1::bigint || '.' || s.shelf || '''')::tsquery
        and ts_match_vq(w.words, $3::text::tsquery)
        and ($7::uuid is null or s.shelf < $5 or w.message_id < $7)
    order by w.message_id desc
    offset 0
) h
where not exists (
        select from message_words n
        where n.account_id = $1 and n.conversation_id = h.conversation_id and n.message_id > h.message_id
            and ts_match_vq(n.words, $3::text::tsquery)
    )
    and not exists (
        select from conversation_words c
        where c.account_id = $1 and c.conversation_id = h.conversation_id
            and ts_match_vq(c.words, $4::text::tsquery)
    )
    and ($9::text is null or exists (
        select from conversation_states c
        where c.account_id = $1 and c.id = h.conversation_id and $9 = any(c.states)
    ))
limit $8

-- name: in_these
-- As `on_shelves`, but in a few conversations ($2), where shelves are no matter.
-- $3 what is asked, $4 how conversations are found by name, $5 message before which to begin, $6 limit
select h.message_id, c.id as conversation_id
from unnest($2::bigint[]) c (id)
cross join lateral (
    select w.message_id
    from message_words w
    where w.account_id = $1 and w.conversation_id = c.id and ts_match_vq(w.words, $3::text::tsquery)
    order by w.message_id desc
    limit 1
) h
where ($5::uuid is null or h.message_id < $5)
    and not exists (
        select from conversation_words n
        where n.account_id = $1 and n.conversation_id = c.id and ts_match_vq(n.words, $4::text::tsquery)
    )
order by h.message_id desc
limit $6

-- name: hits
-- The messages in which the words stand.
select id, direction, channel, subject, left(body, 65536) as body, occurred_at
from messages
where account_id = $1 and id = any($2::uuid[])
