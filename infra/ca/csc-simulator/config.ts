import { z } from 'zod';
import { developmentClientSecret } from './server.ts';

const schema = z.object({
  NODE_ENV: z
    .string()
    .optional()
    .refine((value) => value !== 'production', {
      error: 'the CA simulator does not run in production: it hands out keys and codes',
    }),
  CA_SIMULATOR_PORT: z.coerce.number().int().min(0).max(65_535).default(4400),
  CA_SIMULATOR_DATA: z.string().min(1).optional(),
  CA_SIMULATOR_CLIENT_SECRET: z.string().min(8).default(developmentClientSecret),
});

/** Reads the environment; throws one error that lists every fault. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>) {
  const parsed = schema.safeParse(environment);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return {
    port: parsed.data.CA_SIMULATOR_PORT,
    dataDirectory: parsed.data.CA_SIMULATOR_DATA,
    clientSecret: parsed.data.CA_SIMULATOR_CLIENT_SECRET,
  };
}
