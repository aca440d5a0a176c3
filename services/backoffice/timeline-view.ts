import { z } from 'zod';
import { grantAction, mailAction, type TimelineRow } from '../../infra/postgres/timeline.ts';
import { csvLine } from './csv.ts';
import { instant } from './renewal-view.ts';

export const timelineTypes = [
  'grant',
  'renewal',
  'mail',
  'suspension',
  'activation',
  'signing',
  'usage',
  'refusal',
  'configuration',
  'other',
] as const;
export type TimelineType = (typeof timelineTypes)[number];

/**
 * What each action is, and which of its details are shown. What is not named here stays in the audit: a detail may be an outside party's own words, with an
 * address or worse in them. `operatorName` stands for the id of whoever it is about.
 */
const known = {
  [grantAction]: [
    'grant',
    ...['effectiveAt', 'expiresAt', 'allowance', 'bindingLimit', 'factors', 'endedAt', 'endReason'],
  ],
  grant_obtained_too_late: ['grant', 'renewalState'],
  access_revoked: ['grant', 'reason', 'lapseReason'],
  grant_ended_by_ca: ['grant'],
  revoked_at_ca: ['grant'],
  renewal_opened: ['renewal', 'deadlineAt'],
  renewal_ended: ['renewal', 'outcome'],
  returned_from_ca: ['renewal'],
  callback_from_another_browser: ['renewal'],
  code_window_opened: ['renewal', 'endsAt'],
  code_window_closed: ['renewal'],
  code_requested: ['renewal'],
  code_not_sent: ['renewal'],
  authorization_asked: ['renewal'],
  factor_rejected: ['renewal', 'triesLeft'],
  authorization_not_processed: ['renewal'],
  [mailAction]: ['mail', 'mailId', 'kind', 'state', 'subject', 'sentAt', 'operatorName'],
  operators_told: ['mail', 'kind', 'slot', 'told', 'undeliverable'],
  nobody_to_tell: ['mail', 'kind', 'slot'],
  operator_undeliverable: ['mail', 'kind', 'slot', 'operatorName'],
  client_services_suspended: ['suspension', 'reason', 'clientServices'],
  client_service_activated: ['activation', 'clientService', 'before'],
  client_service_deactivated: ['activation', 'clientService', 'before'],
  activation_handed_out: ['signing'],
  usage_threshold_reached: ['usage', 'percent', 'used', 'allowance', 'superseded'],
  usage_suspense_settled: ['usage', 'signatures'],
  activation_refused: ['refusal', 'reason', 'count'],
  ca_refusal_reported: ['refusal', 'count'],
  permission_refused: ['refusal', 'permission'],
  certificate_created: ['configuration', 'alias'],
  client_service_created: ['configuration', 'alias', 'status'],
} as const satisfies Readonly<Record<string, readonly [TimelineType, ...string[]]>>;

/** Whatever has an entry above: screens need words for each. */
export type TimelineAction = keyof typeof known;

const isKnown = (action: string): action is TimelineAction => Object.hasOwn(known, action);

/** Which actions a type has; `other` is every action that is not known here. */
export function filterOf(type: TimelineType | undefined) {
  if (type === undefined) return {};
  if (type === 'other') return { actions: Object.keys(known), except: true };
  return {
    actions: Object.entries(known).flatMap(([action, [of]]) => (of === type ? [action] : [])),
  };
}

const detail = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

export const timelineEntry = z
  .strictObject({
    id: z.string(),
    at: instant,
    type: z.enum(timelineTypes),
    action: z.string(),
    actor: z.strictObject({
      kind: z.enum(['operator', 'process', 'api_key', 'admin']),
      name: z.string().nullable(),
    }),
    details: z.record(z.string(), detail),
  })
  .meta({ id: 'TimelineEntry' });
export type TimelineEntry = z.output<typeof timelineEntry>;

export function presentTimelineEntry(row: TimelineRow): TimelineEntry {
  const [type, ...keys]: readonly [TimelineType, ...string[]] = isKnown(row.action)
    ? known[row.action]
    : ['other'];
  const values: Readonly<Record<string, unknown>> = {
    ...row.details,
    operatorName: row.operatorName,
  };
  const details: TimelineEntry['details'] = {};
  for (const key of keys) {
    const value = detail.safeParse(values[key]);
    if (value.success) details[key] = asInstant(key, value.data);
  }
  return {
    id: row.id,
    at: row.at.toISOString(),
    type,
    action: row.action,
    actor: presentActor(row),
    details,
  };
}

/** PostgreSQL writes an instant in JSON with its own offset. */
function asInstant(key: string, value: z.output<typeof detail>): z.output<typeof detail> {
  if (typeof value !== 'string' || !key.endsWith('At')) return value;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? value : at.toISOString();
}

function presentActor({ actor, actorName }: TimelineRow): TimelineEntry['actor'] {
  const colon = actor.indexOf(':');
  const [kind, id] = colon === -1 ? [actor, ''] : [actor.slice(0, colon), actor.slice(colon + 1)];
  switch (kind) {
    case 'operator':
    case 'api_key':
      return { kind, name: actorName ?? null };
    case 'process':
      return { kind, name: id };
    default:
      return { kind: 'admin', name: null };
  }
}

/** The mark at the front tells spreadsheets that this is UTF-8. */
export const timelineCsvHead = `\uFEFF${csvLine(['at', 'type', 'action', 'actor kind', 'actor', 'details', 'id'])}`;

export function timelineCsvLine({ id, at, type, action, actor, details }: TimelineEntry): string {
  const told = Object.entries(details).map(
    ([key, value]) => `${key}: ${Array.isArray(value) ? value.join(', ') : String(value)}`,
  );
  return csvLine([at, type, action, actor.kind, actor.name ?? '', told.join('; '), id]);
}
