-- The facts of DESIGN 4. Ids are made by the application and are text: an id that is not ours is "not found", never a cast that fails.
-- Instants are given by the application, from the clock that follows this server's; defaults exist only where no rule compares them.

create extension if not exists btree_gist;

create table accounts (
  account_id text primary key,
  name text not null check (name <> ''),
  time_zone text not null default 'Europe/Lisbon',
  reminder_hour smallint not null default 9 check (reminder_hour between 0 and 23),
  locale text not null default 'pt-PT',
  created_at timestamptz not null
);
create unique index accounts__name on accounts (lower(name));

create table operators (
  operator_id text primary key,
  email text not null check (email like '%_@_%'),
  name text not null check (name <> ''),
  locale text not null default 'pt-PT',
  password_hash text not null,
  created_at timestamptz not null
);
create unique index operators__email on operators (lower(email));

create table account_operators (
  account_id text not null references accounts (account_id),
  operator_id text not null references operators (operator_id),
  role text not null check (role in ('viewer', 'operator', 'admin')),
  created_at timestamptz not null,
  primary key (account_id, operator_id)
);
create index account_operators__operator on account_operators (operator_id);

create table certificate_authorities (
  authority_id text primary key,
  name text not null check (name <> ''),
  base_uri text not null,
  client_id text not null,
  sealed_client_secret text not null,
  client_account_url text,
  created_at timestamptz not null
);
create unique index certificate_authorities__name on certificate_authorities (lower(name));

create table certificates (
  certificate_id text primary key,
  account_id text not null references accounts (account_id),
  authority_id text not null references certificate_authorities (authority_id),
  alias text not null check (alias <> ''),
  subject text not null,
  issuer text not null,
  serial text not null,
  not_after timestamptz not null,
  credential_id text not null,
  -- the client account at the CA that it must be renewed with, as operators know it
  ca_account text not null,
  created_at timestamptz not null
);
create unique index certificates__alias on certificates (account_id, lower(alias));
create unique index certificates__credential on certificates (authority_id, credential_id);

create table client_services (
  client_service_id text primary key,
  certificate_id text not null references certificates (certificate_id),
  alias text not null check (alias <> ''),
  status text not null check (status in ('active', 'suspended', 'inactive')),
  created_at timestamptz not null
);
create unique index client_services__alias on client_services (certificate_id, lower(alias));

create table renewals (
  renewal_id text primary key,
  certificate_id text not null references certificates (certificate_id),
  account_id text not null references accounts (account_id),
  operator_id text not null references operators (operator_id),
  state text not null check (
    state in ('at_ca', 'awaiting_code', 'authorizing', 'granted', 'refused', 'abandoned', 'timed_out', 'outcome_unknown')
  ),
  started_at timestamptz not null,
  deadline_at timestamptz not null check (deadline_at > started_at),
  -- SHA-256 of what went out in the URL and in the attempt's cookie
  state_hash bytea not null,
  browser_hash bytea not null,
  state_used_at timestamptz,
  sealed_verifier text not null,
  -- CA tokens between the callback and the grant; removed when the renewal ends
  sealed_tokens text,
  factors jsonb,
  -- what the CA lets one authorization have (CSC multisign)
  multisign bigint check (multisign > 0),
  code_window_ends_at timestamptz,
  resend_allowed_at timestamptz,
  tries_left smallint not null check (tries_left >= 0),
  -- while authorizing: when the answer counts as lost
  authorization_ends_at timestamptz,
  notice text,
  outcome text,
  ended_at timestamptz,
  -- an open renewal has no outcome, an ended one has
  check ((state in ('at_ca', 'awaiting_code', 'authorizing')) = (ended_at is null)),
  check ((ended_at is null) = (outcome is null)),
  check (ended_at is null or (sealed_tokens is null and code_window_ends_at is null)),
  check ((state = 'authorizing') = (authorization_ends_at is not null)),
  check (code_window_ends_at is null or state = 'awaiting_code')
);
create unique index renewals__one_open on renewals (certificate_id)
where ended_at is null;
create unique index renewals__state on renewals (state_hash);
create index renewals__certificate on renewals (certificate_id, started_at desc);

create table access_grants (
  grant_id text primary key references renewals (renewal_id),
  certificate_id text not null references certificates (certificate_id),
  account_id text not null references accounts (account_id),
  granted_by text not null references operators (operator_id),
  effective_at timestamptz not null check (effective_at = date_trunc('second', effective_at)),
  expires_at timestamptz not null check (expires_at = date_trunc('second', expires_at)),
  allowance bigint not null check (allowance > 0),
  ends_with_certificate boolean not null default false,
  binding_limit text not null check (binding_limit in ('policy_time', 'policy_usage', 'ca', 'certificate')),
  ended_at timestamptz check (ended_at = date_trunc('second', ended_at)),
  end_reason text check (end_reason in ('superseded', 'revoked', 'ended_by_ca')),
  ended_by text references operators (operator_id),
  successor_id text references access_grants (grant_id),
  -- consequences, each written once, by the transaction that saw to it
  lapse_reason text check (
    lapse_reason in ('grant_expired', 'allowance_exhausted', 'revoked', 'ended_by_ca', 'certificate_ended')
  ),
  services_suspended_at timestamptz,
  lapse_announced_at timestamptz,
  usage_announced_at timestamptz,
  refusal_reported_at timestamptz,
  refusal_announced_at timestamptz,
  -- the last local date on which every operator was reminded
  last_reminder_slot date,
  -- removed once revoked at the CA
  sealed_sad text,
  sealed_tokens text,
  tokens_expire_at timestamptz,
  -- when what is sealed here is to be revoked at the CA, and when that was done
  revoke_at timestamptz,
  revoked_at_ca_at timestamptz,
  check (expires_at > effective_at),
  check ((ended_at is null) = (end_reason is null)),
  check (ended_at is null or (ended_at >= effective_at and ended_at <= expires_at)),
  check ((lapse_reason is null) = (services_suspended_at is null)),
  constraint access_grants__no_overlap
    exclude using gist (certificate_id with =, tstzrange(effective_at, coalesce(ended_at, expires_at)) with &&)
);
create unique index access_grants__one_latest on access_grants (certificate_id)
where successor_id is null;
create index access_grants__certificate on access_grants (certificate_id, effective_at desc);
create index access_grants__revoke on access_grants (revoke_at)
where revoke_at is not null and revoked_at_ca_at is null;

-- One row per service and cause; a service is suspended while one is not lifted.
create table suspensions (
  suspension_id text primary key,
  client_service_id text not null references client_services (client_service_id),
  grant_id text not null references access_grants (grant_id),
  reason text not null,
  placed_at timestamptz not null,
  lifted_at timestamptz,
  lifted_by text references operators (operator_id)
);
create unique index suspensions__cause on suspensions (client_service_id, grant_id);

-- Usage: reference/kafka.md 2.3
create table usage_counters (
  grant_id text primary key references access_grants (grant_id),
  used bigint not null default 0 check (used >= 0),
  last_event_at timestamptz
) with (fillfactor = 50);

create table usage_thresholds (
  grant_id text not null references access_grants (grant_id),
  percent smallint not null,
  used bigint not null,
  reached_at timestamptz not null,
  primary key (grant_id, percent)
);

create table usage_positions (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  start_offset bigint not null,
  counted bigint not null default 0,
  duplicate bigint not null default 0,
  rejected bigint not null default 0,
  skipped bigint not null default 0,
  updated_at timestamptz not null,
  primary key (topic, partition),
  -- conservation: every record is accounted for
  check (counted + duplicate + rejected + skipped = next_offset - start_offset)
) with (fillfactor = 50);

create table usage_event_ids (
  certificate_id text not null,
  event_id text not null,
  seen_at timestamptz not null,
  primary key (certificate_id, event_id)
);
create index usage_event_ids__age on usage_event_ids (seen_at);

-- counted, but no grant at that second
create table usage_suspense (
  suspense_id bigint generated always as identity primary key,
  certificate_id text not null,
  claimed_grant_id text,
  event_second timestamptz not null,
  signatures bigint not null,
  settled_grant_id text references access_grants (grant_id),
  settled_at timestamptz
);
create index usage_suspense__open on usage_suspense (certificate_id)
where settled_at is null;

create table usage_rejects (
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  reason text not null,
  detail text not null,
  record_key bytea,
  record_value bytea,
  record_headers jsonb not null default '{}',
  rejected_at timestamptz not null,
  primary key (topic, partition, record_offset)
);

create table mails (
  mail_id text primary key,
  account_id text not null references accounts (account_id),
  operator_id text not null references operators (operator_id),
  certificate_id text not null references certificates (certificate_id),
  kind text not null,
  message_id text not null unique,
  recipient text not null,
  subject text not null,
  text_body text not null,
  html_body text not null,
  state text not null check (state in ('sending', 'accepted', 'refused', 'failed')),
  error text,
  created_at timestamptz not null,
  sent_at timestamptz
);
create index mails__certificate on mails (certificate_id, created_at desc);

-- What a mail told: at most once per operator, grant, kind and slot (the local date for daily ones, a constant for the others).
create table reminder_items (
  operator_id text not null references operators (operator_id),
  grant_id text not null references access_grants (grant_id),
  kind text not null,
  slot text not null,
  state text not null check (state in ('claimed', 'told', 'undeliverable')),
  claim_ends_at timestamptz not null,
  attempts integer not null default 1,
  mail_id text references mails (mail_id),
  primary key (operator_id, grant_id, kind, slot)
);
create index reminder_items__grant on reminder_items (grant_id, kind, slot);

-- The one way out (DESIGN 2.4).
create table outbox (
  outbox_id bigint generated always as identity primary key,
  written_by text not null,
  destination text not null check (destination in ('temporal', 'kafka')),
  -- grant id for Temporal, certificate id for Kafka: rows of one subject leave in order where the destination is Kafka
  subject text not null,
  -- signal name or topic
  name text not null,
  payload jsonb not null,
  created_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  delivered_at timestamptz,
  set_aside_at timestamptz,
  set_aside_reason text,
  check ((set_aside_at is null) = (set_aside_reason is null))
);
create index outbox__waiting on outbox (destination, outbox_id)
where delivered_at is null and set_aside_at is null;

create table audit_events (
  event_id bigint generated always as identity primary key,
  at timestamptz not null,
  -- operator:<id>, process:<name>, api_key:<id>, admin
  actor text not null,
  action text not null,
  account_id text,
  certificate_id text,
  -- <kind>:<id>
  subject text not null,
  details jsonb not null default '{}'
);
create index audit_events__certificate on audit_events (certificate_id, event_id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit events are only ever added';
end
$$;
create trigger audit_events__append_only
before update or delete or truncate on audit_events
for each statement execute function refuse_change();

create table sessions (
  session_hash bytea primary key,
  session_id text not null unique,
  operator_id text not null references operators (operator_id),
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  ended_at timestamptz
);
create index sessions__operator on sessions (operator_id);

create table api_keys (
  api_key_id text primary key,
  account_id text not null references accounts (account_id),
  name text not null,
  key_hash bytea not null unique,
  -- null: all certificates of the account
  certificate_ids text[],
  created_at timestamptz not null,
  revoked_at timestamptz
);
create unique index api_keys__name on api_keys (account_id, lower(name))
where revoked_at is null;

-- NOTIFY only hastens what is polled for anyway.
create function notify_access_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('access_changed', '');
  return null;
end
$$;
create trigger access_grants__notify after insert or update on access_grants
for each statement execute function notify_access_changed();
create trigger client_services__notify after insert or update on client_services
for each statement execute function notify_access_changed();
create trigger api_keys__notify after insert or update on api_keys
for each statement execute function notify_access_changed();
-- not each count, but the ones that change an answer
create trigger usage_thresholds__notify after insert on usage_thresholds
for each statement execute function notify_access_changed();
create trigger certificates__notify after insert or update on certificates
for each statement execute function notify_access_changed();

create function notify_outbox() returns trigger language plpgsql as $$
begin
  perform pg_notify('outbox_written', '');
  return null;
end
$$;
create trigger outbox__notify after insert on outbox
for each statement execute function notify_outbox();
