import { CaError, type CaErrorKind } from './ca-error.ts';

/** What is asked of a CA, as the client's methods are called. */
export type CaCallName =
  | 'discover'
  | 'exchangeCode'
  | 'refreshTokens'
  | 'listCredentialIds'
  | 'findCredential'
  | 'getCredential'
  | 'sendCode'
  | 'authorizeCredential'
  | 'revokeToken'
  | 'revokeSad'
  | 'signHash';

/** What a call to a CA came to: a kind of error, or that it took too long, whatever it was. */
export type CaCallClass = 'ok' | 'timeout' | 'not_a_ca_error' | CaErrorKind;

/** Told of each call once it is over, its repetitions included. */
export type OnCaCall = (call: CaCallName, outcome: CaCallClass, seconds: number) => void;

/** Runs the call and tells what came of it. */
export async function observed<T>(
  call: CaCallName,
  onCall: OnCaCall,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const over = (outcome: CaCallClass): void => {
    onCall(call, outcome, (performance.now() - startedAt) / 1000);
  };
  try {
    const answer = await work();
    over('ok');
    return answer;
  } catch (error) {
    over(classOf(error));
    throw error;
  }
}

function classOf(error: unknown): CaCallClass {
  if (!(error instanceof CaError)) return 'not_a_ca_error';
  return error.details.reason === 'timeout' ? 'timeout' : error.kind;
}
