import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { createProducer, type Producer } from '../../infra/kafka/producer.ts';
import { kafkaVariables, processVariables } from '../shared/common-config.ts';
import { nonEmpty, urlOf, variable, wholeNumber, type ConfigOf } from '../shared/config.ts';
import type { Running } from '../shared/lifecycle.ts';
import type { Logger } from '../shared/log.ts';
import { signingCertificateAlias } from './demonstration.ts';
import type { Demonstration } from './seed.ts';

export const signingServiceVariables = {
  ...processVariables,
  ...kafkaVariables,
  SIGNING_GATE_URL: variable('the gate', urlOf('http', 'https')),
  SIGNING_API_KEY: variable('API key for the gate', nonEmpty, { secret: true }),
  SIGNING_CERTIFICATE_ID: variable('certificate to sign with', nonEmpty),
  SIGNING_CLIENT_SERVICE: variable('client service that signs, id or alias', nonEmpty),
  SIGNING_INTERVAL_SECONDS: variable('seconds between two signatures', wholeNumber(1, 3_600), {
    default: '5',
  }),
};
export type SigningConfig = ConfigOf<typeof signingServiceVariables>;

export function signingServiceEnvironment(
  gate: string,
  { apiKey, certificates }: Demonstration,
): Record<string, string> {
  const certificate = certificates.find(({ alias }) => alias === signingCertificateAlias);
  const service = certificate?.clientServices[0];
  if (certificate === undefined || service === undefined) {
    throw new Error(`the demonstration has no certificate "${signingCertificateAlias}"`);
  }
  return {
    SIGNING_GATE_URL: gate,
    SIGNING_API_KEY: apiKey.key,
    SIGNING_CERTIFICATE_ID: certificate.id,
    SIGNING_CLIENT_SERVICE: service.id,
  };
}

const activationAnswer = z.object({
  cscBaseUri: z.string(),
  dialect: z.enum(['v1', 'v2']),
  credentialId: z.string(),
  accessToken: z.string(),
  sad: z.string(),
  grantId: z.string(),
});
type Activation = z.output<typeof activationAnswer>;
const refusalAnswer = z.object({ code: z.string().optional(), reason: z.string().optional() });
const signatureAnswer = z.object({ signatures: z.array(z.string().min(1)).length(1) });
const caRefusalAnswer = z.object({ error: z.string() });

/** What a signing service does, in small: asks the gate, signs at the CA, reports on Kafka. One signature every few seconds, as long as it may. */
export function startSigningService(config: SigningConfig, log: Logger): Running {
  const stopping = new AbortController();
  const producer = createProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'signing-service',
    log,
  });
  const work = signForEver(config, producer, log, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await work;
      await producer.stop();
    },
  };
}

async function signForEver(
  config: SigningConfig,
  producer: Producer,
  log: Logger,
  stopping: AbortSignal,
): Promise<void> {
  let lastRefusal: string | undefined;
  while (!stopping.aborted) {
    try {
      const refusal = await signOnce(config, producer, log);
      // Only the change is news.
      if (refusal !== lastRefusal) log.info({ refusal: refusal ?? 'none' }, 'the gate was asked');
      lastRefusal = refusal;
    } catch (error) {
      log.warn({ err: error }, 'no signature was made');
    }
    await pause(config.SIGNING_INTERVAL_SECONDS * 1000, undefined, { signal: stopping }).catch(
      () => undefined,
    );
  }
}

/** Answers why the gate refused, or undefined when a signature was made and reported. */
async function signOnce(
  config: SigningConfig,
  producer: Producer,
  log: Logger,
): Promise<string | undefined> {
  const certificateId = config.SIGNING_CERTIFICATE_ID;
  const activated = await askGate(config, 'activation', {
    clientService: config.SIGNING_CLIENT_SERVICE,
  });
  if (activated.status !== 200) {
    const { code, reason } = refusalAnswer.parse(activated.body);
    return reason ?? code ?? String(activated.status);
  }
  const activation = activationAnswer.parse(activated.body);
  const { grantId } = activation;
  const caError = await signAtCa(activation);
  if (caError !== undefined) {
    log.warn({ caError }, 'the CA refused to sign');
    await askGate(config, 'refusals', { grantId, caError });
    return undefined;
  }
  const event = {
    id: randomUUID(),
    certificateId,
    time: new Date().toISOString(),
    count: 1,
    grantId,
  };
  await report(producer, config.KAFKA_SIGNATURES_TOPIC, event);
  return undefined;
}

async function askGate(config: SigningConfig, call: string, asked: unknown) {
  const url = `${config.SIGNING_GATE_URL}/v1/certificates/${config.SIGNING_CERTIFICATE_ID}/${call}`;
  const response = await postJson(url, config.SIGNING_API_KEY, asked);
  const body: unknown = await response.json();
  return { status: response.status, body };
}

const sha256 = '2.16.840.1.101.3.4.2.1';
const sha256WithRsa = '1.2.840.113549.1.1.11';

/** Signs the hash of a document of the moment; answers the CA's error if it refuses. */
async function signAtCa(activation: Activation): Promise<string | undefined> {
  const { cscBaseUri, dialect, credentialId, accessToken, sad } = activation;
  const hash = createHash('sha256').update(randomBytes(64)).digest('base64');
  const named =
    dialect === 'v1'
      ? { hash: [hash], hashAlgo: sha256 }
      : { hashes: [hash], hashAlgorithmOID: sha256 };
  const response = await postJson(`${cscBaseUri}/signatures/signHash`, accessToken, {
    credentialID: credentialId,
    SAD: sad,
    signAlgo: sha256WithRsa,
    ...named,
  });
  const body: unknown = await response.json();
  if (!response.ok) return caRefusalAnswer.parse(body).error;
  signatureAnswer.parse(body);
  return undefined;
}

/** A signature that was made must be counted: the same event, with the same id, until Kafka has it. */
async function report(
  producer: Producer,
  topic: string,
  event: { readonly certificateId: string },
): Promise<void> {
  const tries = 5;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await producer.send(topic, event.certificateId, JSON.stringify(event));
      return;
    } catch (error) {
      if (attempt === tries) throw error;
    }
  }
}

const postJson = (url: string, bearer: string, body: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
