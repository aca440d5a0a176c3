import { z } from 'zod';

/** How the mailbox misbehaves, for tests. What a request does not name is off. */
export const switchesSchema = z.strictObject({
  /** SMTP code with which RCPT TO of an address is refused, by address in lower case. */
  refuseRecipients: z
    .record(z.string().toLowerCase(), z.number().int().min(400).max(599))
    .default({}),
  /** 451 to every message, at MAIL FROM. */
  failAll: z.boolean().default(false),
  /** How long the answer to a message is held back after its last byte, before it is stored. */
  delayMs: z.number().int().min(0).max(120_000).default(0),
  /** Take and store the message, then close the connection without the 250. */
  dropAfterData: z.boolean().default(false),
});

export type Switches = z.infer<typeof switchesSchema>;
