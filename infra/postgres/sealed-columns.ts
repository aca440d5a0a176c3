/** The processes that have the keyring. */
export type KeyHolder = 'backoffice' | 'gate' | 'worker';

export type SealedColumn = {
  readonly table: string;
  /** Its key, which is also what the values belong to: the associated data of the envelope. A renewal's id is that of its grant. */
  readonly id: string;
  readonly column: string;
  readonly openedBy: readonly KeyHolder[];
};

/** Every column with sealed values. A new one is named `sealed_…` and gets its line here, or a test fails: otherwise its values would be lost with the key. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'certificate_authorities',
    id: 'authority_id',
    column: 'sealed_client_secret',
    openedBy: ['backoffice', 'gate', 'worker'],
  },
  { table: 'renewals', id: 'renewal_id', column: 'sealed_verifier', openedBy: ['backoffice'] },
  {
    table: 'renewals',
    id: 'renewal_id',
    column: 'sealed_tokens',
    openedBy: ['backoffice', 'worker'],
  },
  { table: 'access_grants', id: 'grant_id', column: 'sealed_sad', openedBy: ['gate', 'worker'] },
  { table: 'access_grants', id: 'grant_id', column: 'sealed_tokens', openedBy: ['gate', 'worker'] },
  { table: 'invitations', id: 'invitation_id', column: 'sealed_token', openedBy: ['worker'] },
  { table: 'password_resets', id: 'reset_id', column: 'sealed_token', openedBy: ['worker'] },
];
