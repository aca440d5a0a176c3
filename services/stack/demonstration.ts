import { defaultAccounts } from '../../infra/ca/csc-simulator/default-data.ts';
import type { Role } from '../../domain/roles.ts';

/** What the demonstration account is made of. The passwords are printed at start and guard nothing. */
export const demonstrationAccount = 'Demonstração, Lda.';

export type DemonstrationOperator = {
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly role: Role;
};

export const demonstrationOperators: readonly DemonstrationOperator[] = [
  {
    email: 'alice@demonstracao.example',
    name: 'Alice Almeida',
    password: 'alice-demonstracao',
    role: 'admin',
  },
  {
    email: 'bruno@demonstracao.example',
    name: 'Bruno Barros',
    password: 'bruno-demonstracao',
    role: 'operator',
  },
  {
    email: 'clara@demonstracao.example',
    name: 'Clara Costa',
    password: 'clara-demonstracao',
    role: 'viewer',
  },
];

export const authorityName = 'Certificate Issuance System (simulator)';
/** Of the CA simulator, where this platform is registered with them. */
export const authorityClientId = 'certificate-access';

const [holder] = defaultAccounts;
if (holder === undefined) throw new Error('the CA simulator has no client account');
/** The client account at the simulator that holds the demonstration credentials, and their PIN. */
export const clientAccount = holder;
export const credentialPin = '1234';

export type DemonstrationCertificate = {
  readonly alias: string;
  /** One of the simulator's own credentials. */
  readonly credentialId: string;
  readonly clientServices: readonly string[];
  /** How the CA authorises it; absent: it is never granted. */
  readonly grant?: {
    readonly lifetimeSeconds?: number;
    readonly multisign?: number;
    /** Signatures reported on Kafka once it is granted. */
    readonly signatures?: number;
    /** The seed waits until its client services are suspended. */
    readonly lapses?: true;
  };
};

const day = 86_400;

/** One certificate in each standing. */
export const demonstrationCertificates: readonly DemonstrationCertificate[] = [
  {
    alias: 'Selo de faturas',
    credentialId: 'demo-1',
    clientServices: ['Faturação', 'Portal do cliente', 'Recibos'],
    grant: {},
  },
  {
    alias: 'Selo de contratos',
    credentialId: 'demo-2',
    clientServices: ['Contratos', 'Arquivo'],
    grant: { lifetimeSeconds: 6 * day },
  },
  {
    alias: 'Selo de guias de transporte',
    credentialId: 'demo-3',
    clientServices: ['Expedição'],
    grant: { multisign: 1_000, signatures: 920 },
  },
  {
    alias: 'Selo de certidões',
    credentialId: 'demo-4',
    clientServices: ['Balcão', 'Portal do cidadão'],
    grant: { lifetimeSeconds: 5, lapses: true },
  },
  {
    alias: 'Selo de recursos humanos',
    credentialId: 'demo-5',
    clientServices: ['Recibos de vencimento'],
  },
];

/** What the stream of signatures is made with. */
export const signingCertificateAlias = 'Selo de faturas';
export const signingApiKeyName = 'signing service of the demonstration';
