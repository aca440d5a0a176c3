import { z } from 'zod';

/**
 * Trouble on demand. A switch holds for everything, for one client account, or for one credential;
 * the narrower wins. `method` is a name such as `credentials/authorize` or `oauth2/token`, or `*`.
 */
const fault = z.strictObject({
  method: z.string(),
  /** Close the connection before anything is done. */
  close: z.boolean().optional(),
  /** Do it, then close the connection instead of answering. */
  dropAnswer: z.boolean().optional(),
  delayMs: z.number().int().nonnegative().optional(),
  /** Answer with this instead of doing it. */
  status: z.number().int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** How many calls it is for; without it, all. */
  times: z.number().int().positive().optional(),
});

const switchesSchema = z.strictObject({
  /** Replaces the list of faults. */
  faults: z.array(fault).optional(),
  newGrantKillsOld: z.boolean().optional(),
  rollingSad: z.boolean().optional(),
  refreshRefused: z.boolean().optional(),
  rotateRefreshTokens: z.boolean().optional(),
  issueRefreshTokens: z.boolean().optional(),
  emptyList: z.boolean().optional(),
  listPageSize: z.number().int().positive().optional(),
  /** Answer every request for consent with this OAuth error, such as `access_denied`. */
  consentError: z.string().optional(),
  accessTokenSeconds: z.number().int().positive().optional(),
  codeSeconds: z.number().int().nonnegative().optional(),
  omitExpiresIn: z.boolean().optional(),
  /** Numbers as strings, and blanks after error codes, as real services send them. */
  sloppy: z.boolean().optional(),
  /** Replaces members of the answer to `info`; null removes one. */
  info: z.record(z.string(), z.unknown()).optional(),
});

export const switchRequestSchema = z
  .strictObject({
    credentialID: z.string().optional(),
    account: z.string().optional(),
    /** Forget all switches of this scope first. */
    reset: z.boolean().optional(),
    // State of one credential, so only with credentialID.
    pinLocked: z.boolean().optional(),
    otpLocked: z.boolean().optional(),
    keyStatus: z.enum(['enabled', 'disabled']).optional(),
    certificateStatus: z.enum(['valid', 'expired', 'revoked', 'suspended']).optional(),
    revokeSads: z.boolean().optional(),
    ...switchesSchema.shape,
  })
  .refine((value) => value.credentialID === undefined || value.account === undefined, {
    error: 'Give credentialID or account, not both.',
  });

export type Fault = z.infer<typeof fault>;
export type Switches = z.infer<typeof switchesSchema>;

interface Scope {
  readonly credentialID?: string | undefined;
  readonly account?: string | undefined;
}

export const scopeKey = ({ credentialID, account }: Scope): string =>
  credentialID !== undefined
    ? `credential ${credentialID}`
    : account !== undefined
      ? `account ${account}`
      : 'all';

const scopesOf = ({ credentialID, account }: Scope): string[] => [
  ...(credentialID === undefined ? [] : [scopeKey({ credentialID })]),
  ...(account === undefined ? [] : [scopeKey({ account })]),
  'all',
];

/** The switches that hold for a scope. */
export function switchesFor(all: ReadonlyMap<string, Switches>, scope: Scope): Switches {
  return Object.assign(
    {},
    ...scopesOf(scope)
      .reverse()
      .map((key) => all.get(key)),
  ) as Switches;
}

/** Takes the fault that is due for this call, if any, and counts it down. */
export function takeFault(
  all: Map<string, Switches>,
  scope: Scope,
  method: string,
): Fault | undefined {
  for (const key of scopesOf(scope)) {
    const faults = all.get(key)?.faults;
    const found = faults?.find((each) => each.method === method || each.method === '*');
    if (faults === undefined || found === undefined) continue;
    if (found.times !== undefined) {
      found.times -= 1;
      if (found.times === 0) faults.splice(faults.indexOf(found), 1);
    }
    return found;
  }
  return undefined;
}
