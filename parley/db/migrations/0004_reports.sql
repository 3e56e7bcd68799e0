-- How far the looks after missing reports have come: each message is looked at a few times in its life.
create table report_looks (
    look    smallint primary key,  -- the first look, the second, …
    through uuid not null          -- all messages up to this id have been looked at
);
