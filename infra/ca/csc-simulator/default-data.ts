import type { ClientAccount } from './state.ts';
import type { NewCredential } from './new-credential.ts';

/** Client accounts of the simulator. Their passwords are shown on the login page: they guard nothing. */
export const defaultAccounts: readonly ClientAccount[] = [
  { email: 'ana@cliente.example', password: 'ana-no-simulador' },
  { email: 'outro@cliente.example', password: 'outro-no-simulador' },
];

const ana = 'ana@cliente.example';
const pin = { presence: 'true', value: '1234', format: 'N' } as const;
const onlineOtp = { presence: 'true', type: 'online' } as const;

/** One credential per way of asking for factors, six for the demonstration, one of somebody else. */
export const defaultCredentials: readonly NewCredential[] = [
  { credentialID: 'qseal-pin-otp', account: ana, pin, otp: onlineOtp },
  { credentialID: 'qseal-otp', account: ana, otp: onlineOtp },
  { credentialID: 'qseal-pin', account: ana, pin },
  { credentialID: 'qseal-none', account: ana },
  { credentialID: 'qseal-offline', account: ana, pin, otp: { presence: 'true', type: 'offline' } },
  ...[1, 2, 3, 4, 5, 6].map((number) => ({
    credentialID: `demo-${number}`,
    account: ana,
    pin,
    otp: onlineOtp,
  })),
  { credentialID: 'outro-qseal', account: 'outro@cliente.example', pin, otp: onlineOtp },
];
