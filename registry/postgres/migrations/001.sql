-- The tables of a registry. Text that is a key or is compared is collated as
-- bytes, so that every server orders it alike. What is compressed already is
-- not compressed again (storage external). Nothing refers to another table by a
-- foreign key: rows of one step are written together, and Check audits them.

-- The numbers given out last. Whoever changes something holds this row until
-- the end of the transaction: it is what gives records and events an order
-- without gaps, in which nothing appears later below what was read.
create table head (
	one boolean primary key default true check (one),
	records bigint not null default 0,
	events bigint not null default 0,
	edge bytea not null default '', -- of the tree over the events; its leaves are their hashes in order
	checkpoint bytea, -- signed last, over so many events
	signed bigint not null default 0,
	erased bigint not null default 0, -- people
	scrubbed bigint not null default 0 -- of them, those of whom nothing is left in the files
);
insert into head default values;

-- Hashes of complete subtrees of 256^level events; what lies below is computed
-- from the events.
create table nodes (
	level smallint check (level > 0),
	n bigint check (n >= 0),
	hash bytea not null check (octet_length(hash) = 32),
	primary key (level, n)
);

create table lists (
	id text collate "C" primary key,
	provider text collate "C" not null,
	seed bytea not null check (octet_length(seed) = 32),
	next integer not null check (next between 0 and 131072),
	version bigint not null
);

create table open_lists (
	provider text collate "C" primary key,
	list text collate "C" not null
);

create table records (
	seq bigint primary key check (seq > 0),
	credential text collate "C" not null unique,
	handle text collate "C" not null unique,
	provider text collate "C" not null,
	learner text collate "C" not null,
	module text collate "C" not null,
	version text collate "C" not null,
	edition text collate "C" not null,
	hidden bytea,
	list text collate "C" not null,
	place integer not null check (place between 0 and 131071),
	reserved_at timestamptz(0) not null,
	state text collate "C" not null check (state in ('reserved', 'sealed', 'erased')),
	digest bytea check (octet_length(digest) = 32),
	sealed_at timestamptz(0),
	status smallint not null check (status between 0 and 2),
	reason text collate "C" not null,
	status_at timestamptz(0),
	level smallint not null check (level between 0 and 3),
	constraint records_award unique (edition, module, learner),
	constraint records_place unique (list, place),
	constraint records_sealed check ((state = 'reserved') = (digest is null)),
	constraint records_open check (state <> 'reserved' or level = 0 and status = 0)
);
create index records_provider on records (provider, seq);
create index records_module on records (module, seq);
create index records_edition on records (edition, seq);
create index records_class on records (module, edition, seq);
create index records_learner on records (learner, seq);
create index records_unfinished on records (seq) where state = 'reserved';
create index records_level on records (level, seq) where state = 'sealed';
create index records_entries on records (list, place) where status <> 0;

create table claims (
	hash bytea primary key check (octet_length(hash) = 32),
	seq bigint not null unique
);

create table bodies (
	seq bigint primary key,
	body bytea not null
);
alter table bodies alter column body set storage external;

create table documents (
	seq bigint primary key,
	data bytea not null
);
alter table documents alter column data set storage external;

create table counts (
	provider text collate "C" primary key, -- empty: of all
	reserved bigint not null,
	sealed bigint not null,
	suspended bigint not null,
	revoked bigint not null
);

create table editions (
	provider text collate "C",
	module text collate "C",
	edition text collate "C",
	reserved bigint not null,
	sealed bigint not null,
	suspended bigint not null,
	revoked bigint not null,
	primary key (provider, module, edition)
);

create table events (
	seq bigint primary key check (seq > 0),
	at timestamptz(0) not null,
	kind text collate "C" not null,
	what text collate "C" not null,
	who text collate "C" not null,
	why text collate "C" not null
);

create table providers (
	id text collate "C" primary key,
	spec bytea not null
);

create table modules (
	code text collate "C",
	version text collate "C",
	spec bytea not null,
	primary key (code, version)
);

create table codes (
	code text collate "C" primary key,
	provider text collate "C" not null,
	version text collate "C" not null -- the newest
);
create index codes_provider on codes (provider, code);

-- The salt of a person stands apart from all else, so that this table alone need
-- be written anew when one is erased.
create table salts (
	id text collate "C" primary key,
	salt bytea not null check (octet_length(salt) = 16)
);
-- Else "analyze" keeps samples of it in tables of its own.
alter table salts alter column salt set statistics 0;

create table people (
	id text collate "C" primary key,
	data bytea not null,
	tokens bytea[] not null
);
alter table people alter column data set storage external;

create table tokens (
	token bytea check (octet_length(token) = 8),
	id text collate "C",
	primary key (token, id)
);

create table shared (
	id bytea primary key check (octet_length(id) = 16),
	content bytea not null
);
alter table shared alter column content set storage external;

create table access (
	hash bytea primary key check (octet_length(hash) = 32),
	kind text collate "C" not null,
	who text collate "C" not null,
	expires timestamptz(0) not null
);
create index access_expires on access (expires);
