import type { GrantFacts } from '../domain/facts.ts';

/** The facts of grants, and what may be done to them. Each checks under the certificate's lock whether it is its time; if not it does nothing. */
type GrantStore = {
  findFacts(grantId: string): Promise<GrantFacts | undefined>;
  closeCodeWindow(grantId: string): Promise<void>;
  closeRenewal(grantId: string): Promise<void>;
  suspendClientServices(grantId: string): Promise<void>;
};

/** What operators are told. */
export type NoticeKind = 'reminder' | 'usage_warning' | 'lapsed' | 'ca_refusal';

/** Something to tell every operator of the account now. */
export type Notice = {
  readonly grantId: string;
  readonly kind: NoticeKind;
  /** The account's local date for what is told daily, `once` for the rest. */
  readonly slot: string;
  /** Operators of the account who were not told yet. */
  readonly operatorIds: readonly string[];
  /** How many operators the account has: with none, somebody has to act. */
  readonly operatorCount: number;
};

/** The right to tell one operator, for a few minutes; nobody else has it meanwhile. */
export type Claim<Content> = {
  readonly operatorId: string;
  readonly messageId: string;
  readonly threadId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly content: Content;
};

type WrittenMail = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};

export type SendResult =
  | { readonly result: 'accepted' }
  | { readonly result: 'refused'; readonly reason: string }
  /** To be tried again; it may have been delivered all the same. */
  | { readonly result: 'failed'; readonly reason: string };

type Notices<Content> = {
  /** What is to be told at this moment, or undefined when it is not true (any more) or everybody knows. */
  findDue(grantId: string, kind: NoticeKind): Promise<Notice | undefined>;
  /** Checks again that it is true, and takes the right to tell this operator; undefined when it is not, or somebody else has it. */
  claim(notice: Notice, operatorId: string): Promise<Claim<Content> | undefined>;
  /** Keeps the text before it is sent. */
  recordText(notice: Notice, claim: Claim<Content>, mail: WrittenMail): Promise<void>;
  recordResult(notice: Notice, claim: Claim<Content>, result: SendResult): Promise<void>;
  /** Marks the notice as done when every operator was told or cannot be told. */
  settle(notice: Notice): Promise<void>;
};

/** What is to be revoked at the CA because a grant is over. In memory only: never in an answer, an error or a log. */
export type Revocation = {
  readonly grantId: string;
  readonly certificateId: string;
  readonly sad: string | undefined;
  /** Those that no other grant of the certificate still needs. */
  readonly tokens: readonly {
    readonly kind: 'access_token' | 'refresh_token';
    readonly value: string;
  }[];
};

type Revocations = {
  findDue(grantId: string): Promise<readonly Revocation[]>;
  recordRevoked(revocation: Revocation): Promise<void>;
};

export type CaRevoker = {
  /** Resolves when nothing of it is valid at the CA any more; rejects when that is not known. */
  revoke(revocation: Revocation): Promise<void>;
};

/** Fields are ids, counts and reasons. */
export type Log = {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type GrantPorts<Content> = {
  readonly grants: GrantStore;
  readonly notices: Notices<Content>;
  readonly writeMail: (content: Content) => Promise<WrittenMail>;
  readonly mailer: {
    send(
      mail: WrittenMail & Pick<Claim<Content>, 'messageId' | 'threadId' | 'to'>,
    ): Promise<SendResult>;
  };
  readonly revocations: Revocations;
  readonly ca: CaRevoker;
  readonly log: Log;
};
