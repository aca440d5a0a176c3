/**
 * Who may do what to which table: the whole of it, in one place. `migrate` makes the database so, taking away what does not stand here. A right that the
 * release before needs stays until the release after, as columns do: both run on the same database while one takes the other's place.
 */

/** The processes that use the database, each under a role of its own. */
export const serviceRoles = ['backoffice', 'gate', 'usage', 'worker', 'admin'] as const;
export type ServiceRole = (typeof serviceRoles)[number];

/** Columns as they stand in a statement, with commas between them, or `*` for those of the whole table, whatever columns it gets. */
type Columns = string;
export type TableRights = {
  readonly select?: Columns;
  readonly insert?: Columns;
  readonly update?: Columns;
  readonly delete?: true;
};

/** What the standing of a certificate is told by (`grantColumns` in grants.ts). */
const grantFacts =
  'grant_id, certificate_id, account_id, effective_at, expires_at, allowance, ends_with_certificate, binding_limit, ended_at, end_reason, successor_id, lapse_reason, services_suspended_at';
/** What suspending writes (suspensions.ts). */
const suspending = 'lapse_reason, services_suspended_at, revoke_at';
const newSuspension = 'suspension_id, client_service_id, grant_id, reason, placed_at';
/** Locking a row takes the right to change one of its columns: for certificates, which nobody changes, the one that no rule reads (certificate-lock.ts). */
const toLock = 'created_at';
/** Not the number, which orders the events. */
const newAuditEvent = 'at, actor, action, account_id, certificate_id, subject, details';
const newOutboxRow = 'written_by, destination, subject, name, payload, created_at, next_attempt_at';
/** What a relay does to rows of the outbox (outbox-relay.ts). */
const relaying = 'attempts, next_attempt_at, delivered_at, set_aside_at, set_aside_reason';
/** Not their hashes: those are read by nobody but who signs people in. */
const operatorFacts = 'operator_id, email, name, locale, password_set, created_at';
const newApiKey = 'api_key_id, account_id, name, key_hash, certificate_ids, created_at';
const newOperator = 'operator_id, email, name, locale, password_hash, password_set, created_at';

/** Every table has its line; what is missing in a line is refused. */
export const rights: Readonly<Record<string, Partial<Record<ServiceRole, TableRights>>>> = {
  accounts: {
    backoffice: { select: '*', update: 'name, time_zone, reminder_hour, locale' },
    gate: { select: 'account_id, time_zone' },
    worker: { select: '*' },
    admin: { select: '*', insert: '*', update: 'name, time_zone, reminder_hour, locale' },
  },
  operators: {
    backoffice: {
      select: `${operatorFacts}, password_hash, failed_sign_ins`,
      insert: newOperator,
      update: 'locale, password_hash, password_set, failed_sign_ins',
    },
    worker: { select: operatorFacts },
    admin: {
      select: operatorFacts,
      insert: newOperator,
      update: 'locale, password_hash, password_set',
    },
  },
  account_operators: {
    backoffice: { select: '*', insert: '*', update: 'role', delete: true },
    worker: { select: '*' },
    admin: { select: '*', insert: '*', update: 'role', delete: true },
  },
  certificate_authorities: {
    backoffice: { select: '*' },
    gate: { select: 'authority_id, base_uri, client_id, sealed_client_secret' },
    worker: { select: 'authority_id, name, base_uri, client_id, sealed_client_secret' },
    admin: {
      select: '*',
      insert: '*',
      update: 'sealed_client_secret',
    },
  },
  certificates: {
    backoffice: { select: '*', update: toLock },
    gate: {
      select: 'certificate_id, account_id, authority_id, alias, not_after, credential_id',
      update: toLock,
    },
    worker: { select: '*', update: toLock },
    admin: { select: '*', insert: '*', update: toLock },
  },
  client_services: {
    backoffice: { select: '*', update: 'status' },
    gate: { select: '*', update: 'status' },
    worker: { select: '*', update: 'status' },
    admin: { select: '*', insert: '*' },
  },
  suspensions: {
    backoffice: { select: '*', insert: newSuspension, update: 'lifted_at, lifted_by' },
    gate: { insert: newSuspension },
    worker: { select: '*', insert: newSuspension },
  },
  renewals: {
    backoffice: {
      select: '*',
      insert:
        'renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash, browser_hash, sealed_verifier, tries_left',
      update:
        'state, state_used_at, sealed_tokens, factors, multisign, code_window_ends_at, resend_allowed_at, tries_left, authorization_ends_at, notice, outcome, ended_at',
    },
    worker: {
      // Its sealed tokens may be shared with a grant that is to be revoked; of its way through the browser nothing is needed.
      select:
        'renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_used_at, sealed_tokens, factors, multisign, code_window_ends_at, resend_allowed_at, tries_left, authorization_ends_at, notice, outcome, ended_at',
      update: 'state, sealed_tokens, code_window_ends_at, authorization_ends_at, outcome, ended_at',
    },
    admin: {
      select: 'renewal_id, sealed_verifier, sealed_tokens',
      update: 'sealed_verifier, sealed_tokens',
    },
  },
  access_grants: {
    backoffice: {
      select: `${grantFacts}, granted_by, ended_by, last_reminder_slot, revoke_at`,
      insert:
        'grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, ends_with_certificate, binding_limit, sealed_sad, sealed_tokens, tokens_expire_at',
      update: `${suspending}, ended_at, end_reason, ended_by, successor_id`,
    },
    gate: {
      select: `${grantFacts}, sealed_sad, sealed_tokens, tokens_expire_at, refusal_reported_at, revoke_at`,
      // Tokens that were refreshed; a grant whose session the CA has ended; a refusal that was reported.
      update: `sealed_tokens, tokens_expire_at, ended_at, end_reason, ${suspending}, refusal_reported_at`,
    },
    usage: {
      select:
        'grant_id, certificate_id, account_id, effective_at, expires_at, allowance, ended_at, successor_id',
    },
    worker: {
      select: '*',
      update: `${suspending}, usage_announced_at, lapse_announced_at, refusal_announced_at, last_reminder_slot, sealed_sad, sealed_tokens, tokens_expire_at, revoked_at_ca_at`,
    },
    admin: {
      select: `${grantFacts}, sealed_sad, sealed_tokens`,
      update: 'sealed_sad, sealed_tokens',
    },
  },
  usage_counters: {
    backoffice: { select: '*', insert: 'grant_id, used' },
    gate: { select: '*' },
    usage: { select: '*', insert: '*', update: 'used, last_event_at' },
    worker: { select: '*' },
    admin: { select: '*' },
  },
  usage_thresholds: {
    backoffice: { select: '*' },
    usage: { select: '*', insert: '*' },
    worker: { select: '*' },
  },
  usage_positions: {
    usage: {
      select: '*',
      insert: 'topic, partition, next_offset, start_offset, updated_at',
      update: 'next_offset, counted, duplicate, rejected, skipped, updated_at',
    },
  },
  usage_event_ids: {
    // Rows are locked before they are deleted.
    usage: { select: '*', insert: '*', update: 'seen_at', delete: true },
  },
  usage_suspense: {
    usage: {
      select: '*',
      insert: 'certificate_id, claimed_grant_id, event_second, signatures',
      update: 'settled_grant_id, settled_at',
    },
  },
  usage_rejects: {
    usage: { select: '*', insert: '*', update: 'published_at' },
  },
  mails: {
    backoffice: { select: '*' },
    worker: {
      select: 'mail_id, message_id, state, created_at, sent_at',
      insert:
        'mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject, text_body, html_body, state, created_at',
      update: 'recipient, subject, text_body, html_body, state, error, sent_at',
    },
  },
  reminder_items: {
    worker: { select: '*', insert: '*', update: 'state, claim_ends_at, attempts, mail_id' },
  },
  outbox: {
    backoffice: { select: '*', insert: newOutboxRow, update: relaying },
    gate: { insert: newOutboxRow },
    usage: { select: '*', insert: newOutboxRow, update: relaying },
    worker: { select: '*', insert: newOutboxRow, update: relaying },
    admin: { insert: newOutboxRow },
  },
  audit_events: {
    backoffice: { select: '*', insert: newAuditEvent },
    gate: { insert: newAuditEvent },
    usage: { insert: newAuditEvent },
    // To seal, and to verify.
    worker: { select: '*', insert: newAuditEvent },
    admin: { select: '*', insert: newAuditEvent },
  },
  audit_links: {
    worker: { select: '*', insert: '*' },
    admin: { select: '*' },
  },
  // Filled by a trigger, in its owner's name.
  audit_unsealed: {
    worker: { select: '*', delete: true },
    admin: { select: '*' },
  },
  sessions: {
    backoffice: {
      select: '*',
      insert: 'session_hash, session_id, operator_id, user_agent, created_at, last_seen_at',
      update: 'last_seen_at, ended_at',
      delete: true,
    },
    admin: { select: 'session_id, operator_id, ended_at', update: 'ended_at' },
  },
  door_budgets: {
    backoffice: { select: '*', insert: '*', update: 'free_at', delete: true },
  },
  known_browsers: {
    backoffice: { select: '*', insert: '*', update: 'last_used_at', delete: true },
  },
  password_resets: {
    backoffice: {
      select: 'reset_id, operator_id, created_at, expires_at, token_hash, ended_at',
      insert: 'reset_id, operator_id, created_at, expires_at, token_hash, sealed_token',
      update: 'ended_at, end_reason, sealed_token',
      delete: true,
    },
    worker: { select: '*', update: 'sent_at, refused_at, sealed_token' },
    admin: { select: 'reset_id, sealed_token', update: 'sealed_token' },
  },
  api_keys: {
    // The hash of the secret is read by who lets signing services in, and by who puts a newer one in its place.
    backoffice: { select: '*', insert: newApiKey, update: 'key_hash, revoked_at' },
    gate: { select: 'api_key_id, account_id, key_hash, certificate_ids, revoked_at' },
    admin: { select: '*', insert: newApiKey, update: 'key_hash, revoked_at' },
  },
  api_key_old_secrets: {
    backoffice: { select: '*', insert: '*', update: 'ends_at' },
    gate: { select: '*' },
    admin: { select: '*', insert: '*', update: 'ends_at' },
  },
  api_key_uses: {
    backoffice: { select: '*' },
    gate: { select: '*', insert: '*', update: 'last_used_at' },
    admin: { select: '*' },
  },
  gate_rates: {
    gate: { select: '*', insert: '*', update: 'tokens, as_of' },
  },
  gate_refusals: {
    gate: { select: '*', insert: '*', update: 'told_at, untold' },
  },
  invitations: {
    backoffice: {
      select:
        'invitation_id, account_id, operator_id, invited_by, created_at, expires_at, token_hash, sent_at, refused_at, ended_at, end_reason',
      insert:
        'invitation_id, account_id, operator_id, invited_by, created_at, expires_at, token_hash, sealed_token',
      update: 'ended_at, end_reason, sealed_token',
      delete: true,
    },
    worker: { select: '*', update: 'sent_at, refused_at, sealed_token' },
    admin: {
      select: 'invitation_id, account_id, operator_id, token_hash, sealed_token, ended_at',
      update: 'ended_at, end_reason, sealed_token',
    },
  },
  migrations: {},
};

/** Functions that are called by name; triggers call theirs without asking who may. */
export const callableFunctions: readonly string[] = ['notify_screens'];
