import { Counter, type Registry } from 'prom-client';
import { z } from 'zod';
import { accessRefusal, type AccessRefusal } from '../../domain/client-service.ts';
import { Problem } from '../../domain/errors.ts';
import { standingOf } from '../../domain/grant.ts';
import type { CertificateAccess } from '../../infra/postgres/gate-picture.ts';
import { reportRefusal } from '../../infra/postgres/gate-store.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { activate, type ActivationOptions } from './activation.ts';
import { apiKeyAuthentication, certificateFor } from './authentication.ts';
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
};

/** The calls of DESIGN 7 that signing services make. */
export function gateRoutes(options: GateOptions): Route[] {
  const { picture, store, metrics } = options;
  const authentication = apiKeyAuthentication(picture);
  const decisions = new Counter({
    name: 'gate_decisions_total',
    help: 'Answers of the gate, by call and reason ("yes" when it may sign).',
    labelNames: ['call', 'reason'],
    registers: [metrics],
  });

  const access = defineRoute({
    method: 'GET',
    path: '/v1/certificates/:id/access',
    summary: 'May this certificate sign now',
    description:
      'Without clientService it speaks of the certificate alone; with one (id or alias) that service has to be active too.',
    quiet: true,
    params,
    query: z.strictObject({ clientService: idOrAlias.optional() }),
    responses: { 200: accessAnswer },
    problems: ['not_found', 'picture_stale'],
    authentication,
  }).handle(({ params: { id }, query: { clientService }, caller }) => {
    const { picture: facts, asOf } = picture.get();
    const certificate = certificateFor(facts.certificates, caller, id);
    const service = clientService === undefined ? undefined : find(certificate, clientService);
    const { latest } = certificate;
    const used = latest?.used ?? 0;
    // The limit is a comparison, made now: no job has to have run for the answer to be right (DESIGN 2.1).
    const standing = standingOf(latest?.grant, used, store.clock.now(), store.policy);
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
    params,
    body: z.strictObject({ clientService: idOrAlias }),
    responses: { 200: activationAnswer },
    problems: [
      'not_found',
      'may_not_sign',
      'ca_unreachable',
      'ca_misconfigured',
      'ca_session_ended',
      'picture_stale',
      'unavailable',
    ],
    authentication,
  }).handle(async ({ params: { id }, body: { clientService }, caller }) => {
    const { certificateId, accountId } = certificateFor(
      picture.get().picture.certificates,
      caller,
      id,
    );
    const actor = `api_key:${caller.apiKeyId}`;
    try {
      const asked = { certificateId, accountId, clientService, actor };
      const { tokenExpiresAt, expiresAt, ...rest } = await activate(options, asked);
      decisions.inc({ call: 'activation', reason: 'yes' });
      return {
        status: 200,
        body: {
          ...rest,
          tokenExpiresAt: tokenExpiresAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
        },
      };
    } catch (error) {
      if (error instanceof Problem && error.code === 'may_not_sign') {
        decisions.inc({ call: 'activation', reason: String(error.details['reason']) });
      }
      throw error;
    }
  });

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
    problems: ['not_found', 'picture_stale', 'unavailable'],
    authentication,
  }).handle(async ({ params: { id }, body: { grantId, caError }, caller }) => {
    const { certificateId, accountId } = certificateFor(
      picture.get().picture.certificates,
      caller,
      id,
    );
    const actor = `api_key:${caller.apiKeyId}`;
    await reportRefusal(store, { certificateId, accountId, grantId, caError, actor });
    return { status: 202, body: { recorded: true } };
  });

  return [access, activation, refusal];
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
