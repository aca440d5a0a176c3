import type { RenewalView } from '../../api/contract.ts';

const id = encodeURIComponent;

/** Of the screen. */
export const certificatePath = (certificateId: string): string =>
  `/certificates/${id(certificateId)}`;

/** Where a renewal is gone on with, in whatever tab. */
export const renewalPath = (renewal: Pick<RenewalView, 'id' | 'certificateId'>): string =>
  `${certificatePath(renewal.certificateId)}?renewal=${id(renewal.id)}`;
