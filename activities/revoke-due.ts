import type { GrantPorts } from './ports.ts';

/** Revokes at the CA what is over and was not revoked yet. A CA that cannot be reached, or refuses, leaves it owed: it is tried again later. */
export async function revokeDue<Content>(
  { revocations, ca, log }: GrantPorts<Content>,
  grantId: string,
): Promise<void> {
  for (const revocation of await revocations.findDue(grantId)) {
    try {
      await ca.revoke(revocation);
    } catch (error) {
      log.warn(
        { grantId: revocation.grantId, err: error },
        'not revoked at the CA, will be tried again',
      );
      continue;
    }
    await revocations.recordRevoked(revocation);
  }
}
