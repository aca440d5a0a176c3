import { Counter, type Registry } from 'prom-client';
import { z } from 'zod';
import { accessRefusal, type AccessRefusal } from '../../domain/client-service.ts';
import { isInScope, type ApiKeyScope } from '../../domain/api-key.ts';
import { Problem } from '../../domain/errors.ts';
import { standingOf } from '../../domain/grant.ts';
import type { GoodSecret } from '../../infra/postgres/api-keys.ts';
import type { CertificateAccess, GatePicture } from '../../infra/postgres/gate-picture.ts';
import { takeCall } from '../../infra/postgres/gate-limits.ts';
import { reportRefusal } from '../../infra/postgres/gate-store.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { activate, type ActivationOptions } from './activation.ts';
import { apiKeyAuthentication } from './authentication.ts';
import type { KeyUses } from './key-uses.ts';
import type { Picture } from './picture.ts';

const refusals = [
  'never_granted',
  'grant_expired',
  'allowance_exhausted',
  'revoked',
  'ended_by_ca',
  'certificate_ended',
  'client_service_suspended',
  'client_service_inactive',
] as const satisfies readonly AccessRefusal[];

const idOrAlias = z.string().min(1).max(200);
const params = z.strictObject({ id: z.string().min(1).max(100) });
const instant = z.iso.datetime();

const accessAnswer = z.strictObject({
  maySign: z.boolean(),
  reason: z.enum(refusals).nullable().describe('Why not; null when it may.'),
  grantId: z.string().nullable(),
  expiresAt: instant.nullable(),
  remaining: z.int().min(0).nullable().describe('Signatures left, as counted so far.'),
  asOf: instant.describe('When the facts that this answer rests on were read.'),
});
const activationAnswer = z.strictObject({
  cscBaseUri: z.url(),
  dialect: z.enum(['v1', 'v2']),
  credentialId: z.string(),
  accessToken: z.string(),
  tokenExpiresAt: instant,
  sad: z.string(),
  grantId: z.string(),
  expiresAt: instant,
  remaining: z.int().min(0),
});

export type GateOptions = ActivationOptions & {
  readonly picture: Picture;
  readonly metrics: Registry;
  readonly uses: Pick<KeyUses, 'note'>;
  /** Per key, over all gates; as many refusals may be reported. */
  readonly activationsPerMinute: number;
};

/**
 * The calls of DESIGN 7 that signing services make. Whether the certificate is there for the caller is the first thing that each of them decides, from memory:
 * another account's, one out of the key's scope and one that never was have the same answer after the same work.
 */
export function gateRoutes(options: GateOptions): Route[] {
  const { picture, store, metrics, uses, activationsPerMinute } = options;
  const { clock } = store;
  const authentication = apiKeyAuthentication({ picture, clock, onUse: uses.note });
  const decisions = new Counter({
    name: 'gate_decisions_total',
    help: 'Answers of the gate, by call and reason ("yes" when it may sign, else why not, or the code of the problem).',
    labelNames: ['call', 'reason'],
    registers: [metrics],
  });
  const counted = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    try {
      const answer = await work();
      decisions.inc({ call, reason: 'yes' });
      return answer;
    } catch (error) {
      decisions.inc({ call, reason: reasonOf(error) });
      throw error;
    }
  };
  const requireRate = async (caller: GoodSecret, call: 'activation' | 'refusal'): Promise<void> => {
    const waitMs = await takeCall(store, caller, call, activationsPerMinute);
    if (waitMs === undefined) return;
    throw new Problem('too_many_requests', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  };

  const access = defineRoute({
    method: 'GET',
    path: '/v1/certificates/:id/access',
    summary: 'May this certificate sign now',
    description:
      'Without clientService it speaks of the certificate alone; with one (id or alias) that service has to be active too. Answered from memory, with facts as of `asOf`: a key that is revoked may be answered until the next reading.',
    quiet: true,
    params,
    query: z.strictObject({ clientService: idOrAlias.optional() }),
    responses: { 200: accessAnswer },
    problems: ['not_found', 'picture_stale'],
    authentication,
  }).handle(({ params: { id }, query: { clientService }, caller }) => {
    const { picture: facts, asOf } = picture.get();
    const certificate = certificateFor(facts, caller, id);
    const service = clientService === undefined ? undefined : find(certificate, clientService);
    const { latest } = certificate;
    const used = latest?.used ?? 0;
    // The limit is a comparison, made now: no job has to have run for the answer to be right (DESIGN 2.1).
    const standing = standingOf(latest?.grant, used, clock.now(), store.policy);
    const reason = accessRefusal(standing, service?.status);
    decisions.inc({ call: 'access', reason: reason ?? 'yes' });
    return {
      status: 200,
      body: {
        maySign: reason === undefined,
        reason: reason ?? null,
        grantId: latest?.grantId ?? null,
        expiresAt: latest?.grant.expiresAt.toISOString() ?? null,
        remaining: latest === undefined ? null : Math.max(0, latest.grant.allowance - used),
        asOf: asOf.toISOString(),
      },
    };
  });

  const activation = defineRoute({
    method: 'POST',
    path: '/v1/certificates/:id/activation',
    summary: 'What a signer needs to call the CA',
    description:
      'Key, scope and limits are looked up in the database at that moment: a key that is revoked gets nothing any more.',
    params,
    body: z.strictObject({ clientService: idOrAlias }),
    responses: { 200: activationAnswer },
    problems: [
      'not_found',
      'may_not_sign',
      'too_many_requests',
      'ca_unreachable',
      'ca_misconfigured',
      'ca_session_ended',
      'picture_stale',
      'unavailable',
    ],
    authentication,
  }).handle(({ params: { id }, body: { clientService }, caller }) =>
    counted('activation', async () => {
      const { certificateId } = certificateFor(picture.get().picture, caller, id);
      await requireRate(caller, 'activation');
      const asked = { certificateId, clientService, caller };
      const { tokenExpiresAt, expiresAt, ...rest } = await activate(options, asked);
      return {
        status: 200,
        body: {
          ...rest,
          tokenExpiresAt: tokenExpiresAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
        },
      };
    }),
  );

  const refusal = defineRoute({
    method: 'POST',
    path: '/v1/certificates/:id/refusals',
    summary: 'The CA refuses what was handed out',
    params,
    body: z.strictObject({
      grantId: z.string().min(1).max(100),
      caError: z.string().min(1).max(300).describe("The CA's own error, without secrets."),
    }),
    responses: { 202: z.strictObject({ recorded: z.literal(true) }) },
    problems: ['not_found', 'too_many_requests', 'picture_stale', 'unavailable'],
    authentication,
  }).handle(async ({ params: { id }, body: { grantId, caError }, caller }) => {
    const { certificateId } = certificateFor(picture.get().picture, caller, id);
    await requireRate(caller, 'refusal');
    await reportRefusal(store, { certificateId, grantId, caError, caller });
    return { status: 202, body: { recorded: true } };
  });

  return [access, activation, refusal];
}

/** Throws `not_found` for whatever is not there for this key. */
function certificateFor(
  { certificates }: GatePicture,
  key: ApiKeyScope,
  certificateId: string,
): CertificateAccess {
  const certificate = certificates.get(certificateId);
  if (certificate === undefined || !isInScope(key, certificate)) throw new Problem('not_found');
  return certificate;
}

/** From a small set: it becomes a label. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Problem)) return 'internal';
  const { code, details } = error;
  return code === 'may_not_sign' ? String(details['reason']) : code;
}

function find(
  { clientServices }: CertificateAccess,
  idOrAliasAsked: string,
): CertificateAccess['clientServices'][number] {
  const asked = idOrAliasAsked.toLowerCase();
  const service = clientServices.find(
    ({ clientServiceId, alias }) =>
      clientServiceId === idOrAliasAsked || alias.toLowerCase() === asked,
  );
  if (service === undefined) throw new Problem('not_found');
  return service;
}
