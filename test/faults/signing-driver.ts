import { setTimeout as pause } from 'node:timers/promises';
import type { Producer } from '../../infra/kafka/producer.ts';
import type { EnteredCertificate } from '../support/entries.ts';
import type { PlannedCertificate } from './plan.ts';
import { randomOf } from './random.ts';
import type { DriverRecord, GateAnswered } from './record.ts';
import { whyOf } from './renewal-driver.ts';

type ToSign = {
  readonly gateUrl: string;
  readonly apiKey: string;
  readonly certificate: EnteredCertificate;
  readonly signing: PlannedCertificate['signing'];
  readonly producer: Producer;
  readonly topic: string;
  readonly record: DriverRecord;
};

const patienceMs = 10_000;

/** What a signing service does until it is told to stop: asks the gate, and reports signatures when it may make them. */
export async function driveSignatures(toSign: ToSign, stopping: AbortSignal): Promise<void> {
  const { signing, certificate, record } = toSign;
  const random = randomOf(signing.seed);
  const sent: Promise<void>[] = [];
  for (let number = 0; !stopping.aborted; number += 1) {
    const answer = await askGate(toSign, random.next());
    if (typeof answer === 'string') {
      record.unanswered.set(answer, (record.unanswered.get(answer) ?? 0) + 1);
    } else {
      record.answers.push(answer);
      if (answer.maySign) {
        const event = {
          id: `${certificate.id}/${signing.ask}/${number}`,
          certificateId: certificate.id,
          time: new Date().toISOString(),
          count: random.whole(1, signing.mostAtOnce),
          grantId: answer.grantId,
        };
        sent.push(send(toSign, event));
        // A reporter that did not hear of its record's arrival sends it again.
        if (random.chance(0.1)) sent.push(send(toSign, event));
      }
    }
    await pause(signing.everyMs, undefined, { signal: stopping }).catch(() => undefined);
  }
  await Promise.all(sent);
}

async function send(
  { producer, topic, record }: ToSign,
  event: { readonly id: string; readonly certificateId: string; readonly count: number },
): Promise<void> {
  const { id: eventId, certificateId, count } = event;
  const isAcknowledged = await producer.send(topic, certificateId, JSON.stringify(event)).then(
    () => true,
    () => false,
  );
  record.events.push({ certificateId, eventId, count, isAcknowledged });
}

/** Its yes or no; a text where it gave neither. */
async function askGate(toSign: ToSign, drawn: number): Promise<GateAnswered | string> {
  const { certificate, signing, gateUrl, apiKey } = toSign;
  const { ask } = signing;
  const { services } = certificate;
  const service = services[Math.floor(drawn * services.length)];
  const serviceId = ask === 'access' ? undefined : service?.id;
  const url = new URL(
    `/v1/certificates/${certificate.id}/${ask === 'activation' ? 'activation' : 'access'}`,
    gateUrl,
  );
  if (ask === 'access_of_service') url.searchParams.set('clientService', serviceId ?? '');
  const askedAt = Date.now();
  try {
    const response = await fetch(url, {
      method: ask === 'activation' ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(ask === 'activation' && { 'content-type': 'application/json' }),
      },
      ...(ask === 'activation' && { body: JSON.stringify({ clientService: serviceId }) }),
      signal: AbortSignal.timeout(patienceMs),
    });
    const body = (await response.json()) as {
      readonly maySign?: boolean;
      readonly reason?: string | null;
      readonly grantId?: string | null;
      readonly asOf?: string;
      readonly code?: string;
    };
    const answered = {
      ...{ certificateId: certificate.id, ask, serviceId, askedAt },
      answeredAt: Date.now(),
      reason: body.reason ?? undefined,
      grantId: body.grantId ?? undefined,
      asOf: body.asOf === undefined ? undefined : Date.parse(body.asOf),
    };
    if (response.status === 200) return { ...answered, maySign: body.maySign ?? true };
    if (body.code === 'may_not_sign') return { ...answered, maySign: false };
    return body.code ?? String(response.status);
  } catch (error) {
    return whyOf(error);
  }
}
