-- The doors that need no session: how often they are tried, which browsers are known there, and the way in for whoever has lost a password.

-- A budget of tries, kept as the one instant at which all of it is there again. Whose it is, is hashed: made-up addresses are not kept, and a row that is full
-- again is removed.
create table door_budgets (
  budget_hash bytea primary key,
  free_at timestamptz not null
);
create index door_budgets__free on door_budgets (free_at);

-- sign-ins that were tried from browsers that are not known, since the last time that the password was right
alter table operators add column failed_sign_ins smallint not null default 0 check (failed_sign_ins >= 0);

-- A browser that has signed in as this operator. It keeps a secret, which opens nothing by itself.
create table known_browsers (
  secret_hash bytea primary key,
  operator_id text not null references operators (operator_id),
  created_at timestamptz not null,
  last_used_at timestamptz not null
);
create index known_browsers__operator on known_browsers (operator_id, last_used_at desc);

create table password_resets (
  reset_id text primary key,
  operator_id text not null references operators (operator_id),
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  -- SHA-256
  token_hash bytea not null unique,
  -- until the mail was sent
  sealed_token text,
  sent_at timestamptz,
  refused_at timestamptz,
  ended_at timestamptz,
  end_reason text check (end_reason in ('used', 'voided')),
  check ((ended_at is null) = (end_reason is null)),
  check (sealed_token is null or (sent_at is null and refused_at is null and ended_at is null))
);
create index password_resets__operator on password_resets (operator_id, created_at desc);

-- A destination of its own: a worker of the release before would set a mail aside that it does not know.
alter table outbox drop constraint outbox_destination_check;
alter table outbox add constraint outbox_destination_check
  check (destination in ('temporal', 'kafka', 'mail', 'password_mail'));
