import type { LapseReason, Standing } from './grant.ts';
import { maySign } from './grant.ts';

export type ClientServiceStatus = 'active' | 'suspended' | 'inactive';

/** Why a signing service is told no, or undefined for yes. The certificate's own limits come first. */
export type AccessRefusal =
  'never_granted' | LapseReason | 'client_service_suspended' | 'client_service_inactive';

/** May this certificate sign now, for this client service if one is named? (DESIGN 7, gate) */
export function accessRefusal(
  standing: Standing,
  service: ClientServiceStatus | undefined,
): AccessRefusal | undefined {
  if (standing.kind === 'none') return 'never_granted';
  if (standing.kind === 'lapsed') return standing.reason;
  if (service === 'suspended') return 'client_service_suspended';
  if (service === 'inactive') return 'client_service_inactive';
  return undefined;
}

/** A suspended or inactive service may be activated by hand only while the certificate may sign. */
export function mayActivate(standing: Standing): boolean {
  return maySign(standing);
}
