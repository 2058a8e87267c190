-- A status list is of a provider and of the house that signs it.
alter table lists add column sealer text collate "C" not null default '', add column legal_id text collate "C" not null default '';
alter table lists alter column sealer drop default, alter column legal_id drop default;

drop table open_lists;
create table open_lists (
	provider text collate "C" not null,
	sealer text collate "C" not null,
	legal_id text collate "C" not null,
	list text collate "C" not null,
	primary key (provider, sealer, legal_id)
);
