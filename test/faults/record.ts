/** What the driver did and what it was answered. Instants are in ms of the machine's clock, which is PostgreSQL's too. */

export type GateAnswered = {
  readonly certificateId: string;
  readonly ask: 'access' | 'access_of_service' | 'activation';
  /** Undefined: of the certificate alone. */
  readonly serviceId: string | undefined;
  /** Just before the question went out and just after the answer was here. */
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly maySign: boolean;
  readonly reason: string | undefined;
  readonly grantId: string | undefined;
  /** When the facts behind the answer were read, by the gate's clock; undefined where it read them for the question. */
  readonly asOf: number | undefined;
};

/** One record in the topic of signatures, or what should be one. */
export type EventSent = {
  readonly certificateId: string;
  readonly eventId: string;
  readonly count: number;
  /** False where Kafka did not say that it has it. */
  readonly isAcknowledged: boolean;
};

export type RenewalDriven = {
  readonly certificateId: string;
  readonly way: string;
  /** Undefined where it was not opened, or the answer did not arrive. */
  readonly renewalId: string | undefined;
  /** The last that the operator was told: a state, or why there was no answer. */
  readonly told: string;
};

export type ActivationDriven = {
  readonly certificateId: string;
  readonly serviceId: string;
  /** A status, a problem's code, or why there was no answer. */
  readonly told: string;
};

/** When something was surely so, as a look at the database from beside saw it. */
export type Sighting = {
  /** Grants by the instant at which the count had surely reached their allowance. */
  readonly usedUpAt: ReadonlyMap<string, number>;
  /** Grants by the instant at which they surely had a successor. */
  readonly supersededAt: ReadonlyMap<string, number>;
  /** Services by the spans in which every look found them not active. */
  readonly notActive: ReadonlyMap<string, readonly { readonly from: number; readonly to: number }[]>;
};

export type DriverRecord = {
  readonly answers: GateAnswered[];
  /** Questions to the gate that got no answer, or another one than yes or no, by what came. */
  readonly unanswered: Map<string, number>;
  readonly events: EventSent[];
  readonly renewals: RenewalDriven[];
  readonly activations: ActivationDriven[];
};

export const emptyRecord = (): DriverRecord => ({
  answers: [],
  unanswered: new Map(),
  events: [],
  renewals: [],
  activations: [],
});
