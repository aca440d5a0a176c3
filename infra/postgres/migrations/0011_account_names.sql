-- An administrator who renames an account must not learn from a refusal that another account has that name. The release before finds accounts by name as it
-- did: where two have one, the command line of this release asks for the id.
drop index accounts__name;
create index accounts__name on accounts (lower(name));
