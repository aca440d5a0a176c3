import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

const environmentSchema = z.object({
  NODE_ENV: z
    .string()
    .optional()
    .refine((value) => value !== 'production', {
      message: 'the mailbox is for development only: it shows everybody every mail',
    }),
  MAILBOX_SMTP_PORT: port.default(1025),
  MAILBOX_HTTP_PORT: port.default(8025),
});

export interface MailboxConfig {
  readonly smtpPort: number;
  readonly httpPort: number;
}

/** Reads the mailbox's settings; throws one error that lists all faults. */
export function readMailboxConfig(environment: NodeJS.ProcessEnv): MailboxConfig {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The mailbox cannot start. ${faults.join('; ')}`);
  }
  return { smtpPort: parsed.data.MAILBOX_SMTP_PORT, httpPort: parsed.data.MAILBOX_HTTP_PORT };
}
