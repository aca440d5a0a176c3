/** One call as the simulator saw it: names of parameters and the outcome, never a PIN, OTP, SAD or token. */
export interface CallRecord {
  readonly at: string;
  readonly method: string;
  readonly credentialID?: string;
  readonly account?: string;
  readonly parameters: readonly string[];
  readonly clientData?: string;
  /** `ok`, the error text that was answered, or what a switch made of the call. */
  outcome: string;
}

const callsKept = 5000;

/** Appends to a bounded log. */
export function recordCall(calls: CallRecord[], call: CallRecord): CallRecord {
  calls.push(call);
  if (calls.length > callsKept) calls.shift();
  return call;
}
