import type { StoredMessage } from './store.ts';

/** A message in Mailpit's list. */
export function presentSummary(message: StoredMessage) {
  return {
    ...commonFields(message),
    Created: message.receivedAt.toISOString(),
    Read: message.read,
    Attachments: message.mail.attachments.length,
    Snippet: (message.mail.text ?? '').replace(/\s+/g, ' ').trim().slice(0, 250),
  };
}

/** One whole message as Mailpit shows it. */
export function presentMessage(message: StoredMessage) {
  const { mail } = message;
  const present = (related: boolean) =>
    mail.attachments
      .filter((attachment) => attachment.related === related)
      .map((attachment, index) => ({
        PartID: attachment.partId ?? String(index + 1),
        FileName: attachment.filename ?? '',
        ContentType: attachment.contentType,
        ContentID: attachment.cid ?? '',
        Size: attachment.size,
      }));
  return {
    ...commonFields(message),
    ReturnPath: message.returnPath,
    Date: (mail.date ?? message.receivedAt).toISOString(),
    Text: mail.text ?? '',
    HTML: htmlOf(message),
    Inline: present(true),
    Attachments: present(false),
  };
}

/** Header name to its unfolded values, as Mailpit answers. */
export function presentHeaders({ mail }: StoredMessage): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const { line } of mail.headerLines) {
    const colon = line.indexOf(':');
    const name = canonicalName(line.slice(0, colon));
    (headers[name] ??= []).push(
      line
        .slice(colon + 1)
        .replace(/\r?\n[ \t]+/g, ' ')
        .trim(),
    );
  }
  return headers;
}

/** The HTML part, or nothing. */
export function htmlOf({ mail }: StoredMessage): string {
  return mail.html === undefined || mail.html === false ? '' : mail.html;
}

function commonFields(message: StoredMessage) {
  return {
    ID: message.id,
    MessageID: (message.mail.messageId ?? '').replace(/^<|>$/g, ''),
    From: message.from,
    To: message.to,
    Cc: message.cc,
    Bcc: message.bcc,
    ReplyTo: message.replyTo,
    Subject: message.mail.subject ?? '',
    Size: message.raw.length,
    Tags: [] as string[],
  };
}

/** `message-id` becomes `Message-Id`: the form Go, and so Mailpit, gives to header names. */
function canonicalName(name: string): string {
  return name
    .toLowerCase()
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('-');
}
