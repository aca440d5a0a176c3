import { randomBytes } from 'node:crypto';

import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';

/** An address as Mailpit writes it. */
export interface MailboxAddress {
  readonly Name: string;
  readonly Address: string;
}

/** One message as it came in. */
export interface StoredMessage {
  readonly id: string;
  readonly receivedAt: Date;
  readonly raw: Buffer;
  readonly mail: ParsedMail;
  readonly from: MailboxAddress;
  readonly to: readonly MailboxAddress[];
  readonly cc: readonly MailboxAddress[];
  /** Recipients of the envelope that no header names. */
  readonly bcc: readonly MailboxAddress[];
  readonly replyTo: readonly MailboxAddress[];
  readonly returnPath: string;
  /** Whether somebody has opened it. */
  read: boolean;
}

export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

const maxMessages = 2_000;
const maxBytes = 128 * 1024 * 1024;

export type MessageStore = ReturnType<typeof createMessageStore>;

/** The newest 2,000 messages (at most 128 MiB), in memory, newest first. */
export function createMessageStore() {
  let messages: StoredMessage[] = [];
  let bytes = 0;

  return {
    async add(raw: Buffer, envelope: Envelope): Promise<StoredMessage> {
      const mail = await simpleParser(raw);
      const to = addresses(mail.to);
      const cc = addresses(mail.cc);
      const named = new Set([...to, ...cc].map(({ Address }) => Address.toLowerCase()));
      const message: StoredMessage = {
        id: randomBytes(16).toString('base64url'),
        receivedAt: new Date(),
        raw,
        mail,
        from: addresses(mail.from)[0] ?? { Name: '', Address: envelope.from },
        to,
        cc,
        bcc: envelope.to
          .filter((address) => !named.has(address.toLowerCase()))
          .map((address) => ({ Name: '', Address: address })),
        replyTo: addresses(mail.replyTo),
        returnPath: envelope.from,
        read: false,
      };
      messages.unshift(message);
      bytes += raw.length;
      while (messages.length > maxMessages || bytes > maxBytes) {
        bytes -= messages.pop()?.raw.length ?? 0;
      }
      return message;
    },

    /** Newest first. */
    all: (): readonly StoredMessage[] => messages,

    /** By id; Mailpit's `latest` is the newest one. */
    find: (id: string): StoredMessage | undefined =>
      id === 'latest' ? messages[0] : messages.find((message) => message.id === id),

    /** Removes the given messages, or all when none is named. */
    remove(ids: readonly string[]): void {
      const gone = new Set(ids);
      messages = ids.length === 0 ? [] : messages.filter((message) => !gone.has(message.id));
      bytes = messages.reduce((sum, { raw }) => sum + raw.length, 0);
    },
  };
}

/**
 * Mailpit's search in small: every term must be found (upper and lower case alike) in the field it names
 * (`to:`, `cc:`, `bcc:`, `from:`, `subject:`, `message-id:`), without a field in any of them or the text. Quotes keep spaces together.
 */
export function matchesQuery(message: StoredMessage, query: string): boolean {
  const terms = query.toLowerCase().match(/(?:[\w-]+:)?(?:"[^"]*"|[^\s"]+)/g) ?? [];
  return terms.every((term) => {
    const field = /^(to|cc|bcc|from|subject|message-id):/.exec(term)?.[1];
    const wanted = term.slice(field === undefined ? 0 : field.length + 1).replaceAll('"', '');
    return fieldsOf(message, field).some((value) => value.toLowerCase().includes(wanted));
  });
}

function fieldsOf(message: StoredMessage, field: string | undefined): readonly string[] {
  const written = (list: readonly MailboxAddress[]) =>
    list.map(({ Name, Address }) => `${Name} <${Address}>`);
  const { from, to, cc, bcc, mail } = message;
  switch (field) {
    case 'to':
      return written(to);
    case 'cc':
      return written(cc);
    case 'bcc':
      return written(bcc);
    case 'from':
      return written([from]);
    case 'subject':
      return [mail.subject ?? ''];
    case 'message-id':
      return [mail.messageId ?? ''];
    case undefined:
    default:
      return [...written([from, ...to, ...cc, ...bcc]), mail.subject ?? '', mail.text ?? ''];
  }
}

function addresses(value: AddressObject | AddressObject[] | undefined): MailboxAddress[] {
  const objects = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return objects
    .flatMap((object) => object.value)
    .flatMap((entry) => entry.group ?? [entry])
    .map(({ name, address }) => ({ Name: name, Address: address ?? '' }));
}
