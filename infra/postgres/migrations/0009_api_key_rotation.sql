-- Secrets of API keys that were replaced and go on for a while, so that signing services can be given the new one without an outage. `api_keys.key_hash` is
-- always the newest: the release before knows that one alone.
create table api_key_old_secrets (
  key_hash bytea primary key,
  api_key_id text not null references api_keys (api_key_id),
  replaced_at timestamptz not null,
  -- works until, and not including
  ends_at timestamptz not null check (ends_at >= replaced_at)
);
create index api_key_old_secrets__key on api_key_old_secrets (api_key_id, ends_at);

-- When the gate last saw each secret; beside the keys, since each change of a key has every gate read everything anew.
create table api_key_uses (
  key_hash bytea primary key,
  api_key_id text not null references api_keys (api_key_id),
  last_used_at timestamptz not null
) with (fillfactor = 50);
create index api_key_uses__key on api_key_uses (api_key_id);

-- What a key has left of its rate, as of an instant: a token bucket for each kind of call, shared by all gates.
create table gate_rates (
  api_key_id text not null references api_keys (api_key_id),
  call text not null,
  tokens double precision not null check (tokens >= 0),
  as_of timestamptz not null,
  primary key (api_key_id, call)
) with (fillfactor = 50);

-- Refusals of one kind since the audit was last told of them: a signer that asks again and again does not fill it.
create table gate_refusals (
  api_key_id text not null references api_keys (api_key_id),
  -- <kind>:<id> of what was refused
  subject text not null,
  reason text not null,
  told_at timestamptz not null,
  untold bigint not null check (untold >= 0),
  primary key (api_key_id, subject, reason)
) with (fillfactor = 50);
