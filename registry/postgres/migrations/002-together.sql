-- What several servers of one registry have in common beside its records.

-- Which keys there are, which of them ended and since when: nothing secret.
create table keys (
	id text collate "C" primary key,
	seq bigint not null unique check (seq > 0), -- of the last change of any
	retired timestamptz(0),
	revoked timestamptz(0),
	lost timestamptz(0)
);

-- Who does a work that one process does at a time.
create table leases (
	name text collate "C" primary key,
	holder text collate "C" not null,
	until timestamptz not null
);

-- How often strangers asked. It may be lost with a crash, and is in no log.
create unlogged table limits (
	key bytea primary key check (octet_length(key) = 32),
	number bigint not null, -- of the window
	now integer not null,
	before integer not null,
	over timestamptz(0) not null -- when nobody needs it any more
);
create index limits_over on limits (over);
