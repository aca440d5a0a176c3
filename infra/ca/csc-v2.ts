import { z } from 'zod';
import { CaError } from './ca-error.ts';
import { unreadable, type CaCall, type CaHttp } from './ca-http.ts';
import type { CaFactor, CscDialect } from './ca-types.ts';
import {
  credentialShape,
  grantedSchema,
  keyword,
  optionalText,
  parseAnswer,
  readCredential,
  signaturesSchema,
} from './csc-answers.ts';
import { isRequired, parseFactorExpression, type FactorExpression } from './factor-expression.ts';

const listSchema = z.object({ credentialIDs: z.array(z.string()) });
const objectSchema = z.object({
  type: keyword,
  id: z.string().min(1),
  format: keyword.nullish(),
  label: optionalText,
  description: optionalText,
  generator: z.string().nullish(),
});
const infoSchema = z.object({
  ...credentialShape,
  auth: z.object({
    mode: keyword.pipe(z.enum(['explicit', 'oauth2code'])),
    expression: z.string().nullish(),
    objects: z.array(objectSchema).max(8).nullish(),
  }),
});

/** An authentication object of the CA that we know how to fill in. */
interface KnownObject extends CaFactor {
  readonly id: string;
}

/** The part of CSC v2 that a grant needs (csc.md 4). */
export function createCscV2(http: CaHttp, baseUri: string): CscDialect {
  const describe = (
    operation: string,
    effect: CaCall['effect'],
    secrets: readonly string[] = [],
  ): CaCall => ({ operation, effect, secrets, url: `${baseUri}/${operation}` });

  async function fetchInfo(accessToken: string, credentialId: string, lang: string | undefined) {
    const call = describe('credentials/info', 'read');
    const json = await http.postJson(
      call,
      {
        credentialID: credentialId,
        certificates: 'chain',
        certInfo: true,
        authInfo: true,
        ...(lang === undefined ? {} : { lang }),
      },
      accessToken,
    );
    const { auth, ...rest } = parseAnswer(call, infoSchema, json);
    const objects = auth.mode === 'explicit' ? knownObjects(call, auth) : [];
    return { call, mode: auth.mode, objects, rest };
  }

  /** The names of factors that this CA gave them; reading them first changes nothing at the CA. */
  async function objectsFor(accessToken: string, credentialId: string): Promise<KnownObject[]> {
    try {
      return (await fetchInfo(accessToken, credentialId, undefined)).objects;
    } catch (error) {
      if (!(error instanceof CaError) || error.kind !== 'unreachable') throw error;
      throw new CaError('transient_not_processed', error.details);
    }
  }

  return {
    async listCredentialIds(accessToken) {
      const call = describe('credentials/list', 'read');
      return parseAnswer(call, listSchema, await http.postJson(call, {}, accessToken))
        .credentialIDs;
    },

    async getCredential(accessToken, credentialId, lang) {
      const { call, mode, objects, rest } = await fetchInfo(accessToken, credentialId, lang);
      return {
        ...readCredential(call, credentialId, rest),
        authMode: mode === 'oauth2code' ? 'oauth' : objects.length > 0 ? 'explicit' : 'implicit',
        factors: objects.map(({ id, ...factor }) => factor),
      };
    },

    async sendCode(accessToken, credentialId) {
      const call = describe('credentials/getChallenge', 'change');
      const objects = await objectsFor(accessToken, credentialId);
      const otp = objects.find((each) => each.name === 'otp' && each.online);
      if (otp === undefined) {
        throw new CaError('protocol_error', { operation: call.operation, reason: 'no online OTP' });
      }
      await http.postJson(call, { credentialID: credentialId, authObjectID: otp.id }, accessToken);
    },

    async authorizeCredential(accessToken, asked) {
      const { credentialId, signatureCount, pin, otp, description, correlationId } = asked;
      const secrets = [pin, otp].filter((each) => each !== undefined);
      const call = describe('credentials/authorize', 'change', secrets);
      const objects = await objectsFor(accessToken, credentialId);
      const authData = objects.flatMap(({ id, name }) => {
        const value = name === 'pin' ? pin : otp;
        return value ? [{ id, value }] : [];
      });
      const json = await http.postJson(
        { ...call, deadlineMs: http.timeouts.authorizeMs },
        {
          credentialID: credentialId,
          numSignatures: signatureCount,
          authData,
          ...(description === undefined ? {} : { description: description.slice(0, 500) }),
          ...(correlationId === undefined ? {} : { clientData: correlationId }),
        },
        accessToken,
      );
      return parseAnswer(call, grantedSchema, json);
    },

    async signHash(accessToken, { credentialId, sad, hashes }) {
      const call = describe('signatures/signHash', 'change', [sad]);
      const json = await http.postJson(
        call,
        {
          credentialID: credentialId,
          SAD: sad,
          hashes: hashes.map((each) => each.toString('base64')),
          hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
          signAlgo: '1.2.840.113549.1.1.1',
        },
        accessToken,
      );
      const { signatures } = parseAnswer(call, signaturesSchema, json);
      return signatures.map((each) => Buffer.from(each, 'base64'));
    },
  };
}

type Auth = z.output<typeof infoSchema>['auth'];

/** One PIN and one OTP at most: more, or something else that is needed, is beyond the dialog. */
function knownObjects(call: CaCall, { expression, objects }: Auth): KnownObject[] {
  const all = objects ?? [];
  let parsed: FactorExpression;
  try {
    parsed = parseFactorExpression(
      expression ?? '',
      all.map((each) => each.id),
    );
  } catch {
    throw unreadable(call, undefined, 'cannot read auth.expression');
  }
  const known = all
    .filter((each) => parsed.names.has(each.id))
    .flatMap((each) => toKnown(each, isRequired(parsed, each.id)) ?? []);
  const names = known.map((each) => each.name);
  const fulfilled = parsed.holds(new Set(known.map((each) => each.id)));
  const either = known.some((each) => parsed.holds(new Set([each.id])));
  if (new Set(names).size < names.length || !(fulfilled || either)) {
    throw unreadable(call, undefined, 'factors beyond PIN and OTP');
  }
  return known;
}

function toKnown(
  object: z.output<typeof objectSchema>,
  required: boolean,
): KnownObject | undefined {
  const { id, type, generator, label, description, format } = object;
  const name = type === 'password' && generator == null ? 'pin' : 'otp';
  if (!['password', 'challengeresponse', 'challengeresponseoob'].includes(type)) return undefined;
  return {
    id,
    name,
    label: label ?? name.toUpperCase(),
    ...(description === undefined ? {} : { description }),
    required,
    online: type !== 'password',
    numeric: format === 'n',
  };
}
