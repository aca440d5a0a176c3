-- Operators are invited by mail and choose their password themselves. Until then `password_hash` is that of a secret that nobody knows: the release before
-- refuses their sign-in like that of anybody with another password.
alter table operators add column password_set boolean not null default true;

create table invitations (
  invitation_id text primary key,
  account_id text not null references accounts (account_id),
  operator_id text not null references operators (operator_id),
  invited_by text not null references operators (operator_id),
  created_at timestamptz not null,
  -- the token's, and when it is told, the mail's
  expires_at timestamptz not null check (expires_at > created_at),
  -- SHA-256; null for somebody who has a password and is only told of the account
  token_hash bytea unique,
  -- until the mail was sent
  sealed_token text,
  sent_at timestamptz,
  refused_at timestamptz,
  ended_at timestamptz,
  end_reason text check (end_reason in ('accepted', 'replaced', 'removed')),
  check ((ended_at is null) = (end_reason is null)),
  check (
    sealed_token is null
    or (token_hash is not null and sent_at is null and refused_at is null and ended_at is null)
  )
);
create unique index invitations__one_open on invitations (account_id, operator_id)
where token_hash is not null and ended_at is null;
create index invitations__operator on invitations (account_id, operator_id, created_at desc);

alter table outbox drop constraint outbox_destination_check;
alter table outbox add constraint outbox_destination_check check (destination in ('temporal', 'kafka', 'mail'));
