import { escapeHtml } from '../formats.ts';
import { htmlOf, presentHeaders } from './present.ts';
import type { MailboxAddress, StoredMessage } from './store.ts';

const style = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8885; overflow-wrap: anywhere; }
  td.time { white-space: nowrap; }
  tr.unread { font-weight: 600; }
  iframe { width: 100%; height: 52rem; border: 1px solid #8885; border-radius: 6px; background: Canvas; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8885; border-radius: 6px; padding: 1rem; }
`;

/** The list of what arrived, newest first; it reloads by itself. */
export function listPage(messages: readonly StoredMessage[]): string {
  const rows = messages
    .slice(0, 200)
    .map(
      (message) =>
        `<tr class="${message.read ? 'read' : 'unread'}"><td class="time">${time(message)}</td>` +
        `<td>${people([...message.to, ...message.cc, ...message.bcc])}</td>` +
        `<td><a href="/view/${message.id}">${escapeHtml(message.mail.subject ?? '(no subject)')}</a></td></tr>`,
    )
    .join('');
  const table = `<table><thead><tr><th>Received</th><th>To</th><th>Subject</th></tr></thead><tbody>${rows}</tbody></table>`;
  return page(
    `Mailbox (${messages.length})`,
    `<h1>Mailbox</h1><p>${messages.length} messages, newest first.</p>${messages.length === 0 ? '' : table}`,
    '<meta http-equiv="refresh" content="5">',
  );
}

/** One message: who and when, its HTML in a sandbox, its text, its headers. */
export function messagePage(message: StoredMessage): string {
  const subject = message.mail.subject ?? '(no subject)';
  const headers = Object.entries(presentHeaders(message))
    .flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
    .join('\n');
  const frame = `<iframe title="HTML part" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/view/${message.id}/html"></iframe>`;
  return page(
    subject,
    `<p><a href="/">All messages</a></p><h1>${escapeHtml(subject)}</h1>
    <p>${time(message)}<br>From ${people([message.from])}<br>To ${people([...message.to, ...message.cc, ...message.bcc])}</p>
    ${htmlOf(message) === '' ? '' : `<h2>HTML</h2>${frame}`}
    <h2>Text</h2><pre>${escapeHtml(message.mail.text ?? '')}</pre>
    <h2>Headers</h2><pre>${escapeHtml(headers)}</pre>`,
  );
}

function page(title: string, body: string, head = ''): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${head}<title>${escapeHtml(title)}</title><style>${style}</style></head><body>${body}</body></html>`;
}

function people(addresses: readonly MailboxAddress[]): string {
  return addresses
    .map(({ Name, Address }) => escapeHtml(Name === '' ? Address : `${Name} <${Address}>`))
    .join(', ');
}

function time({ receivedAt }: StoredMessage): string {
  return `${receivedAt.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
