import { z } from 'zod';
import type { Sealer } from './sealing.ts';

/** The tokens of one session at the CA, as they lie sealed in `renewals.sealed_tokens` and `access_grants.sealed_tokens`. */
const sealedTokensSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  /** Of the access token; a grant has it in `tokens_expire_at` instead. */
  expiresAt: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .optional(),
});

export type SealedTokens = z.output<typeof sealedTokensSchema>;

/** `belongsTo` is the id of the renewal, which is also that of its grant. */
export function sealTokens(sealer: Sealer, tokens: SealedTokens, belongsTo: string): string {
  const { accessToken, refreshToken, expiresAt } = tokens;
  return sealer.seal(JSON.stringify({ accessToken, refreshToken, expiresAt }), belongsTo);
}

/** Throws when the value is another row's or was changed. */
export function openTokens(sealer: Sealer, sealed: string, belongsTo: string): SealedTokens {
  return sealedTokensSchema.parse(JSON.parse(sealer.open(sealed, belongsTo)));
}
