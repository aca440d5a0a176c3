import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssuedCertificate } from './certificates.ts';
import type { CallRecord } from './call-log.ts';
import type { Switches } from './switches.ts';

type Presence = 'true' | 'false' | 'optional';

export interface ClientAccount {
  readonly email: string;
  readonly password: string;
}

/** A credential of a client account: key, certificate, factors and how often they were got wrong. */
export interface Credential {
  readonly credentialID: string;
  readonly account: string;
  readonly description: string;
  readonly certificate: IssuedCertificate;
  readonly authMode: 'implicit' | 'explicit' | 'oauth2code';
  readonly pin?: {
    readonly presence: Presence;
    readonly value: string;
    readonly format: 'A' | 'N';
  };
  readonly otp?: { readonly presence: Presence; readonly type: 'online' | 'offline' };
  /** The credential's own cap on signatures per authorization; the consent's applies besides. */
  readonly multisign?: number;
  /** Key of the offline code generator, hex. */
  readonly generatorKey: string;
  keyStatus: 'enabled' | 'disabled';
  certificateStatus: 'valid' | 'expired' | 'revoked' | 'suspended';
  wrongPinCount: number;
  wrongOtpCount: number;
  pinLocked: boolean;
  otpLocked: boolean;
  sentOtp?: SentOtp;
}

export interface SentOtp {
  readonly value: string;
  readonly sentAt: string;
  readonly expiresAt: string;
  used: boolean;
}

/** What the holder of the client account allowed on the consent page. */
export interface Consent {
  readonly id: string;
  readonly account: string;
  readonly clientId: string;
  /** How long a credential authorization will hold, in seconds. */
  readonly lifetimeSeconds: number;
  readonly multisign: number;
}

export interface Token {
  readonly kind: 'access' | 'refresh';
  readonly consent: Consent;
  readonly expiresAt: string;
  revoked: boolean;
}

/** A credential authorization. Its secret is known to the client only; here lies its hash. */
export interface Sad {
  readonly credentialID: string;
  readonly numSignatures: number;
  readonly expiresAt: string;
  remaining: number;
  revoked: boolean;
  /** Rolling mode: a signature was made, so extendTransaction must come before the next one. */
  spent: boolean;
}

/** What outlives a restart. Tokens and SADs are keyed by the hash of their secret. */
interface Kept {
  root?: IssuedCertificate;
  accounts: Record<string, ClientAccount>;
  credentials: Record<string, Credential>;
  tokens: Record<string, Token>;
  sads: Record<string, Sad>;
}

export interface AuthorizationCode {
  readonly consent: Consent;
  readonly redirectUri: string;
  readonly codeChallenge?: string;
  readonly expiresAt: number;
}

export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state?: string;
  readonly codeChallenge?: string;
  readonly expiresAt: number;
}

/** The simulator's memory, kept as one JSON file when a directory is given. */
export class SimulatorState {
  readonly kept: Kept = { accounts: {}, credentials: {}, tokens: {}, sads: {} };
  readonly codes = new Map<string, AuthorizationCode>();
  readonly requests = new Map<string, AuthorizationRequest>();
  readonly sessions = new Map<string, string>();
  readonly switches = new Map<string, Switches>();
  readonly calls: CallRecord[] = [];
  readonly #file: string | undefined;
  #saving: NodeJS.Timeout | undefined;

  constructor(dataDirectory: string | undefined) {
    if (dataDirectory === undefined) return;
    mkdirSync(dataDirectory, { recursive: true });
    this.#file = join(dataDirectory, 'csc-simulator.json');
    try {
      Object.assign(this.kept, JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Say that something kept has changed; it is written within moments, and by `flush`. */
  changed(): void {
    if (this.#file === undefined) return;
    this.#saving ??= setTimeout(() => {
      this.flush();
    }, 50).unref();
  }

  flush(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (this.#file === undefined) return;
    // Written aside and renamed, so that a crash leaves the old file or the new one, never half.
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.kept), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** In the order of their ids, `demo-2` before `demo-10`. */
  get credentials(): Credential[] {
    return Object.values(this.kept.credentials).sort((a, b) =>
      a.credentialID.localeCompare(b.credentialID, 'en', { numeric: true }),
    );
  }

  credentialsOf(account: string): Credential[] {
    return this.credentials.filter((each) => each.account === account);
  }
}

/** An unguessable value for a token, a code, a session or a SAD. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
