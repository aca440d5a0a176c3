import { setTimeout as pause } from 'node:timers/promises';
import { resume, signal, type Installation } from './installation.ts';
import { describeFault, type Fault } from './plan.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Plays the faults of a plan, each at its time from now. Resolves when the last has ended; answers what was done, a line each. */
export async function injectFaults(
  installation: Installation,
  faults: readonly Fault[],
): Promise<string[]> {
  const done: string[] = [];
  /** Whose trouble a proxy has: one that came later is not ended by the end of one before. */
  const holders = new Map<TcpProxy, Fault>();
  await Promise.all(
    faults.map(async (fault) => {
      await pause(fault.atMs);
      if (await inject(installation, fault, holders)) done.push(describeFault(fault));
    }),
  );
  return done;
}

/** False when there was nothing to hurt: a process that was dead already. */
async function inject(
  { system, proxies }: Installation,
  fault: Fault,
  holders: Map<TcpProxy, Fault>,
): Promise<boolean> {
  switch (fault.kind) {
    case 'kill':
      return signal(system, fault.service, 'SIGKILL');
    case 'pause': {
      if (!signal(system, fault.service, 'SIGSTOP')) return false;
      await pause(fault.forMs);
      resume(system, fault.service);
      return true;
    }
    case 'trouble': {
      const hurt = [...proxies].filter(
        ([route]) =>
          route.part === fault.part &&
          (fault.of === 'everybody' || route.of === fault.of || route.of === 'everybody'),
      );
      await Promise.all(
        hurt.map(async ([, proxy]) => {
          holders.set(proxy, fault);
          await proxy.set(fault.trouble);
        }),
      );
      await pause(fault.forMs);
      for (const [, proxy] of hurt) {
        if (holders.get(proxy) === fault) await proxy.set(undefined);
      }
      return true;
    }
  }
}
