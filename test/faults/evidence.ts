import type { GrantFacts } from '../../domain/facts.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Break } from '../../infra/postgres/audit-chain.ts';
import type { DriverRecord, Sighting } from './record.ts';

type ServiceEvidence = {
  readonly serviceId: string;
  readonly certificateId: string;
  readonly alias: string;
  readonly statusAtFirst: string;
  readonly status: string;
};

export type GrantEvidence = {
  readonly grantId: string;
  readonly certificateId: string;
  readonly accountId: string;
  readonly effectiveAt: Date;
  readonly expiresAt: Date;
  readonly allowance: number;
  readonly used: number;
  /** When it was stored: read under the certificate's lock. */
  readonly recordedAt: Date;
  readonly successorId: string | undefined;
  readonly servicesSuspendedAt: Date | undefined;
};

export type AuditEvidence = {
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly certificateId: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
};

/** A mail about one of the certificates, as it lies in the mailbox. */
export type MailEvidence = {
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
};

/** Who was to be told what, with the message by which it was done. */
export type NoticeEvidence = {
  readonly operatorId: string;
  readonly grantId: string;
  readonly kind: string;
  readonly slot: string;
  readonly state: string;
  readonly messageId: string | undefined;
};

/** Everything that is known after a storm about its certificates, from every side. Plain data: the invariants are judged from it alone. */
export type Evidence = {
  readonly policy: Policy;
  readonly gateStaleSeconds: number;
  /** When the database was looked at, by its own clock. */
  readonly lookedAt: Date;
  readonly record: DriverRecord;
  readonly sighting: Sighting;
  readonly certificates: readonly { readonly certificateId: string; readonly accountId: string }[];
  readonly operators: readonly {
    readonly operatorId: string;
    readonly accountId: string;
    readonly email: string;
  }[];
  readonly services: readonly ServiceEvidence[];
  readonly grants: readonly GrantEvidence[];
  readonly renewals: readonly {
    readonly renewalId: string;
    readonly certificateId: string;
    readonly state: string;
  }[];
  readonly facts: readonly GrantFacts[];
  readonly audits: readonly AuditEvidence[];
  /** As the command that verifies it found it. */
  readonly auditChain: {
    readonly broken: Break | undefined;
    readonly oldestUnsealedAt: Date | undefined;
  };
  readonly notices: readonly NoticeEvidence[];
  readonly mails: readonly MailEvidence[];
  readonly outbox: readonly {
    readonly subject: string;
    readonly name: string;
    readonly state: 'waiting' | 'set_aside';
  }[];
  /** Records of the signatures topic. */
  readonly topic: readonly {
    readonly certificateId: string;
    readonly eventId: string;
    readonly count: number;
  }[];
  /** Signatures that lie in suspense, by certificate. */
  readonly suspended: ReadonlyMap<string, number>;
  /** Calls for a grant that the CA granted, by the renewal that they were for. */
  readonly grantedAtCa: readonly string[];
  readonly workflows: readonly {
    readonly grantId: string;
    /** As Temporal calls it; undefined when there is none. */
    readonly status: string | undefined;
    readonly result: unknown;
    readonly standing: string | undefined;
  }[];
  /** What the gate said when all was quiet. */
  readonly lastAnswers: readonly {
    readonly certificateId: string;
    readonly maySign: boolean;
    readonly grantId: string | undefined;
    readonly askedAt: number;
  }[];
  /** Processes that ended because of an error of their own, with what they said. */
  readonly failures: readonly string[];
};

export type Violation = { readonly invariant: string; readonly what: string };
