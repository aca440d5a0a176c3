import type { Context } from 'koa';
import { setTimeout as delay } from 'node:timers/promises';
import { recordCall } from './call-log.ts';
import { Refusal } from './refusal.ts';
import type { SimulatorOptions } from './options.ts';
import type { SimulatorState } from './state.ts';
import { switchesFor, takeFault } from './switches.ts';

export interface Simulator extends SimulatorOptions {
  readonly state: SimulatorState;
  /** `http://127.0.0.1:<port>`, known once the server listens. */
  readonly origin: string;
}

interface ServedCall {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly account?: string | undefined;
  /** Does the work and gives the body of a 200, or undefined for a 204. Throws `Refusal`. */
  readonly perform: () => unknown;
}

/** Serves one call of the CSC or OAuth API: logs it, plays the fault that is due, answers. */
export async function serveCall(
  ctx: Context,
  simulator: Simulator,
  call: ServedCall,
): Promise<void> {
  const { state } = simulator;
  const { credentialID, clientData } = call.parameters;
  const scope = {
    credentialID: typeof credentialID === 'string' ? credentialID : undefined,
    account: call.account,
  };
  const record = recordCall(state.calls, {
    at: simulator.now().toISOString(),
    method: call.method,
    ...(scope.credentialID === undefined ? {} : { credentialID: scope.credentialID }),
    ...(scope.account === undefined ? {} : { account: scope.account }),
    parameters: Object.keys(call.parameters),
    ...(typeof clientData === 'string' ? { clientData } : {}),
    outcome: 'in progress',
  });
  const fault = takeFault(state.switches, scope, call.method);
  if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { ref: false });
  if (fault?.close === true) {
    record.outcome = 'connection closed by switch';
    dropConnection(ctx);
    return;
  }
  if (fault?.status !== undefined) {
    record.outcome = `answered ${fault.status} by switch`;
    ctx.status = fault.status;
    ctx.set(fault.headers ?? {});
    if (fault.body !== undefined) ctx.body = fault.body;
    return;
  }
  const sloppy = switchesFor(state.switches, scope).sloppy === true;
  try {
    const answer = call.perform();
    record.outcome = 'ok';
    if (answer === undefined) ctx.status = 204;
    else ctx.body = sloppy ? withStringsForNumbers(answer) : answer;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    record.outcome = `${error.error}: ${error.description}`;
    ctx.status = error.status;
    ctx.body = {
      error: sloppy ? `${capitalised(error.error)} ` : error.error,
      error_description: error.description,
    };
  } finally {
    state.changed();
  }
  if (fault?.dropAnswer === true) {
    record.outcome += ', answer dropped by switch';
    dropConnection(ctx);
  }
}

function dropConnection(ctx: Context): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function withStringsForNumbers(value: unknown): unknown {
  if (typeof value === 'number') return value.toString();
  if (Array.isArray(value)) return value.map(withStringsForNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withStringsForNumbers(each)]),
  );
}

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
