-- Who sealed what, and changes that wait for a second person.

-- The keys that sealed records, under small numbers.
create table sealers (
	n integer primary key check (n > 0),
	id text collate "C" not null unique
);
alter table records add column sealer integer;
alter table records add constraint records_sealer check (state <> 'reserved' or sealer is null);

create table proposals (
	number bigint primary key check (number > 0),
	state text collate "C" not null,
	body bytea not null
);
