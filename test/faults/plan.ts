import { serviceNames, type ServiceName } from '../support/system.ts';
import { randomOf, type Random } from './random.ts';
import type { Trouble } from './tcp-proxy.ts';

/** Ways from a process to a part that have a proxy of their own. */
export const routes = [
  { of: 'worker', part: 'postgres' },
  { of: 'worker', part: 'temporal' },
  { of: 'worker', part: 'kafka' },
  { of: 'worker', part: 'smtp' },
  { of: 'usage', part: 'postgres' },
  { of: 'usage', part: 'temporal' },
  { of: 'usage', part: 'kafka' },
  { of: 'backoffice', part: 'postgres' },
  { of: 'backoffice', part: 'temporal' },
  { of: 'gate', part: 'postgres' },
  // The CA's address is a fact in the database, the same for all processes and for browsers.
  { of: 'everybody', part: 'ca' },
] as const;
export type Route = (typeof routes)[number];
export type Part = Route['part'];

type Span = { readonly atMs: number; readonly forMs: number };
export type Fault =
  | (Span & {
      readonly kind: 'trouble';
      readonly part: Part;
      /** Whose way to the part; everybody's means that the part itself is away. */
      readonly of: ServiceName | 'everybody';
      readonly trouble: Trouble;
    })
  /** SIGSTOP, then SIGCONT. */
  | (Span & { readonly kind: 'pause'; readonly service: ServiceName })
  /** SIGKILL; the process is started again at once, as an orchestrator does. */
  | { readonly kind: 'kill'; readonly atMs: number; readonly service: ServiceName };

const ways = [
  'straight',
  'straight',
  'straight',
  'straight',
  'wrong_pin_first',
  'twice_at_once',
  'deny',
  'leave_at_ca',
  'leave_at_code',
  'abandon',
] as const;
export type Way = (typeof ways)[number];

export type PlannedRenewal = {
  readonly atMs: number;
  readonly by: 'admin' | 'operator';
  readonly way: Way;
  readonly takeOver: boolean;
  /** What the CA authorises. */
  readonly lifetimeSeconds: number;
  readonly multisign: number;
};

export type PlannedCertificate = {
  readonly factors: 'none' | 'pin' | 'pin_and_otp';
  readonly services: number;
  readonly renewals: readonly PlannedRenewal[];
  readonly signing: {
    readonly everyMs: number;
    /** Signatures of one event, at most. */
    readonly mostAtOnce: number;
    readonly ask: 'access' | 'access_of_service' | 'activation';
    /** Seed of its counts and repeats. */
    readonly seed: number;
  };
  /** When an operator activates by hand what is not active. */
  readonly activationsAtMs: readonly number[];
};

export type Plan = {
  readonly seed: number;
  readonly stormMs: number;
  readonly certificates: readonly PlannedCertificate[];
  readonly faults: readonly Fault[];
};

const stormMs = 8_000;
const certificateCount = 8;
/** Longer than a storm and its settling: still in force when everything is looked at. */
const longLifetimeSeconds = 120;

/** What is driven and what is done to the system: follows from the seed alone. */
export function planOf(seed: number): Plan {
  const random = randomOf(seed);
  const certificates = Array.from({ length: certificateCount }, () => certificateOf(random));
  const faults = Array.from({ length: random.whole(4, 8) }, () => faultOf(random));
  return { seed, stormMs, certificates, faults: faults.sort((a, b) => a.atMs - b.atMs) };
}

function certificateOf(random: Random): PlannedCertificate {
  const renewals: PlannedRenewal[] = [];
  for (let atMs = random.whole(0, 600); atMs < stormMs; atMs += random.whole(1_500, 4_500)) {
    renewals.push({
      atMs,
      by: random.pick(['admin', 'operator']),
      // The first one straight on, so that most certificates have a life at all.
      way: renewals.length === 0 ? 'straight' : random.pick(ways),
      takeOver: random.chance(0.3),
      lifetimeSeconds: random.chance(0.25) ? longLifetimeSeconds : random.whole(2, 6),
      multisign: random.chance(0.4) ? 1_000_000 : random.whole(20, 120),
    });
  }
  return {
    factors: random.pick(['none', 'pin', 'pin_and_otp']),
    services: random.whole(1, 3),
    renewals,
    signing: {
      everyMs: random.whole(120, 400),
      mostAtOnce: random.pick([3, 10, 40]),
      ask: random.pick(['access', 'access_of_service', 'activation']),
      seed: random.whole(0, 2 ** 31),
    },
    activationsAtMs: Array.from({ length: random.whole(0, 3) }, () =>
      random.whole(1_500, stormMs),
    ),
  };
}

function faultOf(random: Random): Fault {
  const atMs = random.whole(700, stormMs - 1_000);
  const forMs = random.whole(300, 3_500);
  const kind = random.next();
  if (kind < 0.18) return { kind: 'kill', atMs, service: random.pick(serviceNames) };
  if (kind < 0.36) return { kind: 'pause', atMs, forMs, service: random.pick(serviceNames) };
  const { part, of } = random.pick(routes);
  return {
    kind: 'trouble',
    ...{ atMs, forMs, part },
    of: random.chance(0.25) ? 'everybody' : of,
    trouble: troubleOf(random),
  };
}

function troubleOf(random: Random): Trouble {
  switch (random.whole(0, 4)) {
    case 0:
      return { kind: 'delay', ms: random.whole(20, 400) };
    case 1:
      return { kind: 'cut' };
    case 2:
      return { kind: 'silence' };
    case 3:
      return { kind: 'drop_answer', afterBytes: random.whole(1, 2_000) };
    default:
      return { kind: 'drip', bytes: random.whole(8, 200), everyMs: random.whole(5, 40) };
  }
}

/** One line, as the plan of a seed is printed. */
export function describeFault(fault: Fault): string {
  const at = `${(fault.atMs / 1000).toFixed(1)} s`;
  switch (fault.kind) {
    case 'kill':
      return `${at} SIGKILL ${fault.service}`;
    case 'pause':
      return `${at} SIGSTOP ${fault.service} for ${fault.forMs} ms`;
    case 'trouble': {
      const { kind, ...figures } = fault.trouble;
      const much = Object.entries(figures).map(([name, value]) => ` ${name}=${value}`);
      return `${at} ${kind}${much.join('')} between ${fault.of} and ${fault.part} for ${fault.forMs} ms`;
    }
  }
}
