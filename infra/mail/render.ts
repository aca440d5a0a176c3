import { composeMail } from './compose.ts';
import { documentText } from './document.ts';
import { documentHtml } from './html.ts';
import type { MailInput, RenderedMail } from './messages.ts';

/**
 * The mail for one operator: subject, preview, text and HTML from one typed input, in the operator's language and the
 * account's zone. Fetches nothing from elsewhere; only an invitation and a password reset hold a one-time link. Throws when `link` is no http(s) address.
 */
export async function renderMail(input: MailInput): Promise<RenderedMail> {
  const document = composeMail(input);
  return {
    subject: document.subject,
    preview: document.preview,
    text: documentText(document),
    html: await documentHtml(document),
  };
}
