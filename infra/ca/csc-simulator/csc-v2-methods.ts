import { authorizeCredential } from './credential-authorization.ts';
import {
  credentialOf,
  describeCredential,
  factorTexts,
  isTrue,
  listCredentials,
  sendOtp,
  switchesOf,
  type CscCall,
  type CscMethod,
} from './csc-methods.ts';
import { Refusal } from './refusal.ts';
import { signHashes } from './signing.ts';
import type { Credential } from './state.ts';

/** The part of CSC v2 that a grant needs (csc.md 4). */
export const v2Methods: Readonly<Record<string, CscMethod>> = {
  'credentials/list': (call) => {
    const { credentialIDs } = listCredentials({
      ...call,
      body: { ...call.body, maxResults: Number.MAX_SAFE_INTEGER },
    });
    return { credentialIDs };
  },
  'credentials/info': credentialInfo,
  'credentials/getChallenge': (call) => {
    if (call.body['authObjectID'] !== 'OTP') throw new Refusal('Invalid parameter authObjectID');
    sendOtp(call, 'Credential locked');
  },
  'credentials/authorize': authorize,
  'signatures/signHash': (call) => {
    const credential = credentialOf(call);
    const { SAD: sad, hashes, hashAlgorithmOID: hashAlgorithm, signAlgo } = call.body;
    const signatures = signHashes(
      call.simulator.state,
      credential,
      { sad, hashes, hashAlgorithm, signatureAlgorithm: signAlgo },
      { rolling: switchesOf(call, credential).rollingSad === true, now: call.simulator.now() },
    );
    return { signatures };
  },
};

function credentialInfo(call: CscCall): unknown {
  const credential = credentialOf(call);
  const described = describeCredential(call, credential);
  const mode = credential.authMode === 'implicit' ? 'explicit' : credential.authMode;
  if (!isTrue(call.body['authInfo'])) return { ...described, auth: { mode } };
  const texts = factorTexts(call.body['lang']);
  const { pin, otp } = usedFactors(credential);
  const objects = [
    ...(pin ? [{ type: 'Password', id: 'PIN', format: pin.format, ...texts.pin }] : []),
    ...(otp
      ? [
          {
            type: otp.type === 'online' ? 'ChallengeResponseOOB' : 'Password',
            id: 'OTP',
            format: 'N',
            ...(otp.type === 'online' ? {} : { generator: 'totp' }),
            ...texts.otp,
          },
        ]
      : []),
  ];
  // An expression cannot say "optional"; the nearest is that one of the two is enough.
  const optional = pin?.presence === 'optional' || otp?.presence === 'optional';
  const expression = objects.map((each) => each.id).join(optional ? ' OR ' : ' AND ');
  return { ...described, auth: { mode, expression, objects } };
}

function usedFactors({ authMode, pin, otp }: Credential): Pick<Credential, 'pin' | 'otp'> {
  if (authMode !== 'explicit') return {};
  return {
    ...(pin && pin.presence !== 'false' ? { pin } : {}),
    ...(otp && otp.presence !== 'false' ? { otp } : {}),
  };
}

function authorize(call: CscCall): unknown {
  const credential = credentialOf(call);
  const switches = switchesOf(call, credential);
  const values = authData(call.body['authData']);
  try {
    const { sad, expiresIn } = authorizeCredential(
      credential,
      {
        numSignatures: call.body['numSignatures'],
        pin: values.get('PIN'),
        otp: values.get('OTP'),
      },
      { ...call.simulator, consent: call.consent, switches, now: call.simulator.now() },
    );
    return { SAD: sad, ...(switches.omitExpiresIn === true ? {} : { expiresIn }) };
  } catch (error) {
    throw error instanceof Refusal ? inV2Words(error) : error;
  }
}

/** csc.md 4: v2 does not say which factor was wrong, nor which is locked. */
function inV2Words(refusal: Refusal): Refusal {
  if (refusal.error === 'invalid_pin' || refusal.error === 'invalid_otp') {
    return new Refusal('The authentication data is invalid', 'invalid_authentication_data');
  }
  return refusal.description.endsWith(' locked') ? new Refusal('Credential locked') : refusal;
}

function authData(value: unknown): Map<string, unknown> {
  if (value === undefined) return new Map();
  if (!Array.isArray(value)) throw new Refusal('Invalid parameter authData');
  return new Map(
    value.map((each: { id?: unknown; value?: unknown }) => {
      if (each.id !== 'PIN' && each.id !== 'OTP') throw new Refusal('Invalid parameter authData');
      return [each.id, each.value];
    }),
  );
}
