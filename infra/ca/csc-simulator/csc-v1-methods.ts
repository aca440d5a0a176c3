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
import { extendSad, signHashes } from './signing.ts';

/** CSC v1.0.4.0 (csc.md 3.4). */
export const v1Methods: Readonly<Record<string, CscMethod>> = {
  'credentials/list': listCredentials,
  'credentials/info': credentialInfo,
  'credentials/sendOTP': (call) => {
    sendOtp(call, 'OTP locked');
  },
  'credentials/authorize': authorize,
  'credentials/extendTransaction': (call) => {
    const { sad, expiresIn } = extendSad(
      call.simulator.state,
      credentialOf(call),
      call.body['SAD'],
      call.simulator.now(),
    );
    return { SAD: sad, expiresIn };
  },
  'signatures/signHash': (call) => {
    const credential = credentialOf(call);
    const {
      SAD: sad,
      hash: hashes,
      hashAlgo: hashAlgorithm,
      signAlgo: signatureAlgorithm,
    } = call.body;
    const signatures = signHashes(
      call.simulator.state,
      credential,
      { sad, hashes, hashAlgorithm, signatureAlgorithm },
      { rolling: switchesOf(call, credential).rollingSad === true, now: call.simulator.now() },
    );
    return { signatures };
  },
};

function credentialInfo(call: CscCall): unknown {
  const credential = credentialOf(call);
  const texts = factorTexts(call.body['lang']);
  const { pin, otp } = credential;
  const described = { ...describeCredential(call, credential), authMode: credential.authMode };
  if (!isTrue(call.body['authInfo']) || credential.authMode !== 'explicit') return described;
  return {
    ...described,
    ...(pin && { PIN: { presence: pin.presence, format: pin.format, ...texts.pin } }),
    ...(otp && { OTP: { presence: otp.presence, type: otp.type, format: 'N', ...texts.otp } }),
  };
}

function authorize(call: CscCall): unknown {
  const credential = credentialOf(call);
  const switches = switchesOf(call, credential);
  const { numSignatures, PIN: pin, OTP: otp } = call.body;
  const { sad, expiresIn } = authorizeCredential(
    credential,
    { numSignatures, pin, otp },
    { ...call.simulator, consent: call.consent, switches, now: call.simulator.now() },
  );
  return { SAD: sad, ...(switches.omitExpiresIn === true ? {} : { expiresIn }) };
}
