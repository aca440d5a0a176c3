import { setTimeout as pause } from 'node:timers/promises';
import type { Producer } from '../../infra/kafka/producer.ts';
import { enterCertificate, type EnteredCertificate } from '../support/entries.ts';
import type { Account, Installation } from './installation.ts';
import type { Plan, PlannedCertificate } from './plan.ts';
import { emptyRecord, type ActivationDriven, type DriverRecord } from './record.ts';
import { codeOf, driveRenewal, whyOf } from './renewal-driver.ts';
import { driveSignatures } from './signing-driver.ts';

/** A certificate of the storm with what is planned for it. */
export type Driven = {
  readonly account: Account;
  readonly certificate: EnteredCertificate;
  readonly planned: PlannedCertificate;
};

/** Certificates of the plan, with credentials at the CA and client services, spread over the accounts. */
export async function enterPlanned(
  { system, accounts }: Installation,
  { certificates }: Plan,
): Promise<Driven[]> {
  const factors = {
    none: {},
    pin: { pin: true },
    pin_and_otp: { pin: true, otp: 'online' },
  } as const;
  const driven: Driven[] = [];
  for (const [index, planned] of certificates.entries()) {
    const account = accounts[index % accounts.length] ?? accounts[0];
    const certificate = await enterCertificate(system, account, {
      factors: factors[planned.factors],
      services: Array.from({ length: planned.services }, (_, number) => `Service ${number + 1}`),
      inactiveServices: ['Retired'],
    });
    driven.push({ account, certificate, planned });
  }
  return driven;
}

/** Does what is planned, as operators and signing services do it. Resolves when all of it came to its end; never rejects because of a fault. */
export async function drive(
  { system }: Installation,
  { stormMs }: Plan,
  everything: readonly Driven[],
  producer: Producer,
): Promise<DriverRecord> {
  const record = emptyRecord();
  const calm = new AbortController();
  const signing = everything.map(({ account, certificate, planned }) =>
    driveSignatures(
      {
        ...{ gateUrl: system.urls.gate, apiKey: account.apiKey, certificate, producer, record },
        signing: planned.signing,
        topic: system.kafka.topics.signatures,
      },
      calm.signal,
    ),
  );
  const operators = everything.flatMap(({ account, certificate, planned }) => [
    ...planned.renewals.map(async (renewal) => {
      await pause(renewal.atMs);
      record.renewals.push(
        await driveRenewal({
          driver: account.drivers[renewal.by],
          ...{ certificate, planned: renewal },
          simulatorUrl: system.urls.simulator,
        }),
      );
    }),
    ...planned.activationsAtMs.map(async (atMs) => {
      await pause(atMs);
      record.activations.push(...(await activateAll(account, certificate)));
    }),
  ]);
  await Promise.all([...operators, pause(stormMs)]);
  calm.abort();
  await Promise.all(signing);
  return record;
}

async function activateAll(
  { drivers }: Account,
  certificate: EnteredCertificate,
): Promise<ActivationDriven[]> {
  const activated: ActivationDriven[] = [];
  // Not the retired one: nobody asked for it.
  for (const { id } of certificate.services.filter(({ alias }) => alias !== 'Retired')) {
    const told = await drivers.operator
      .call('POST', `/api/client-services/${id}/activation`)
      .then((answer) => (answer.status === 200 ? 'active' : codeOf(answer)), whyOf);
    activated.push({ certificateId: certificate.id, serviceId: id, told });
  }
  return activated;
}
