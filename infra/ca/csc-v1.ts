import { z } from 'zod';
import { CaError } from './ca-error.ts';
import type { CaCall, CaHttp } from './ca-http.ts';
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

const pagesLimit = 50;
const idsLimit = 10_000;

const listSchema = z.object({
  credentialIDs: z.array(z.string()),
  nextPageToken: z.string().nullish(),
});
const presence = keyword.pipe(z.enum(['true', 'false', 'optional']));
const factorShape = {
  presence,
  format: keyword.nullish(),
  label: optionalText,
  description: optionalText,
};
const infoSchema = z.object({
  ...credentialShape,
  authMode: keyword.pipe(z.enum(['implicit', 'explicit', 'oauth2code'])),
  PIN: z.object(factorShape).nullish(),
  OTP: z
    .object({ ...factorShape, type: keyword.pipe(z.enum(['online', 'offline'])).nullish() })
    .nullish(),
});

/** CSC v1 (csc.md 3.4): every call is a POST with JSON under the base URI. */
export function createCscV1(http: CaHttp, baseUri: string): CscDialect {
  const describe = (
    operation: string,
    effect: CaCall['effect'],
    secrets: readonly string[] = [],
  ): CaCall => ({ operation, effect, secrets, url: `${baseUri}/${operation}` });

  return {
    async listCredentialIds(accessToken) {
      const call = describe('credentials/list', 'read');
      const ids = new Set<string>();
      const tokens = new Set<string>();
      let pageToken: string | undefined;
      do {
        // No userID: SHALL NOT be sent with user-specific authorization.
        const answer = parseAnswer(
          call,
          listSchema,
          await http.postJson(call, pageToken === undefined ? {} : { pageToken }, accessToken),
        );
        for (const id of answer.credentialIDs) ids.add(id);
        pageToken = answer.nextPageToken ?? undefined;
        if (pageToken === '') pageToken = undefined;
        if (pageToken !== undefined && (tokens.has(pageToken) || tokens.size >= pagesLimit)) {
          throw new CaError('protocol_error', {
            operation: call.operation,
            reason: 'endless list',
          });
        }
        if (pageToken !== undefined) tokens.add(pageToken);
      } while (pageToken !== undefined && ids.size < idsLimit);
      return [...ids];
    },

    async getCredential(accessToken, credentialId, lang) {
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
      const { authMode, PIN, OTP, ...rest } = parseAnswer(call, infoSchema, json);
      const factors = authMode === 'explicit' ? [...pinFactor(PIN), ...otpFactor(OTP)] : [];
      return {
        ...readCredential(call, credentialId, rest),
        authMode: authMode === 'oauth2code' ? 'oauth' : authMode,
        factors,
      };
    },

    async sendCode(accessToken, credentialId) {
      // 204 by the text, 200 with a body by some services (csc.md 5); neither tells anything.
      await http.postJson(
        describe('credentials/sendOTP', 'change'),
        { credentialID: credentialId },
        accessToken,
      );
    },

    async authorizeCredential(accessToken, asked) {
      const { credentialId, signatureCount, pin, otp, description, correlationId } = asked;
      const secrets = [pin, otp].filter((each) => each !== undefined);
      const call = describe('credentials/authorize', 'change', secrets);
      const json = await http.postJson(
        { ...call, deadlineMs: http.timeouts.authorizeMs },
        {
          credentialID: credentialId,
          numSignatures: signatureCount,
          ...(pin ? { PIN: pin } : {}),
          ...(otp ? { OTP: otp } : {}),
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
          hash: hashes.map((each) => each.toString('base64')),
          hashAlgo: '2.16.840.1.101.3.4.2.1',
          signAlgo: '1.2.840.113549.1.1.1',
        },
        accessToken,
      );
      const { signatures } = parseAnswer(call, signaturesSchema, json);
      return signatures.map((each) => Buffer.from(each, 'base64'));
    },
  };
}

type ParsedInfo = z.output<typeof infoSchema>;

function pinFactor(pin: ParsedInfo['PIN']): CaFactor[] {
  if (pin == null || pin.presence === 'false') return [];
  return [{ name: 'pin', online: false, ...wordsOf(pin, 'PIN') }];
}

function otpFactor(otp: ParsedInfo['OTP']): CaFactor[] {
  if (otp == null || otp.presence === 'false') return [];
  return [{ name: 'otp', online: otp.type === 'online', ...wordsOf(otp, 'OTP') }];
}

function wordsOf(
  factor: NonNullable<ParsedInfo['PIN']>,
  fallback: string,
): Pick<CaFactor, 'label' | 'description' | 'required' | 'numeric'> {
  return {
    label: factor.label ?? fallback,
    ...(factor.description === undefined ? {} : { description: factor.description }),
    required: factor.presence === 'true',
    numeric: factor.format === 'n',
  };
}
