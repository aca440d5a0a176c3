import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import { z } from 'zod';

import { messagePage, listPage } from './page.ts';
import { htmlOf, presentHeaders, presentMessage, presentSummary } from './present.ts';
import { matchesQuery, type MessageStore, type StoredMessage } from './store.ts';
import { type Switches, switchesSchema } from './switches.ts';

const pagingSchema = z.object({
  start: z.coerce.number().int().min(0).catch(0),
  limit: z.coerce.number().int().min(1).catch(50),
  query: z.string().catch(''),
});
const deletionSchema = z.object({ IDs: z.array(z.string()).default([]) });
const maxBodyLength = 1024 * 1024;

const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
// The mail's own document runs no script and fetches nothing; only its links may be followed, in a new tab.
const mailPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** The part of Mailpit's HTTP API that this project uses, the pages, and the switches for tests. */
export function createMailboxApp(
  store: MessageStore,
  switches: { get(): Switches; set(next: Switches): void },
): Koa {
  const router = new Router();

  router.get('/livez', (context) => void (context.body = 'ok'));
  router.get('/readyz', (context) => void (context.body = 'ok'));

  router.get('/api/v1/messages', (context) => {
    context.body = presentList(context, store.all(), store.all());
  });
  router.get('/api/v1/search', (context) => {
    const { query } = pagingSchema.parse(context.query);
    const found = store.all().filter((message) => matchesQuery(message, query));
    context.body = presentList(context, store.all(), found);
  });
  router.get('/api/v1/info', (context) => {
    const messages = store.all();
    context.body = {
      Version: 'certificate-access mailbox',
      Database: 'memory',
      Messages: messages.length,
      Unread: unread(messages),
      Tags: {},
    };
  });
  router.delete('/api/v1/messages', async (context) => {
    const parsed = deletionSchema.safeParse(await readJson(context));
    if (!parsed.success) return context.throw(400, 'IDs must be a list of strings');
    store.remove(parsed.data.IDs);
    context.body = 'ok';
  });
  router.get('/api/v1/message/:id', (context) => {
    const message = getMessage(context, store, context.params['id']);
    message.read = true;
    context.body = presentMessage(message);
  });
  router.get('/api/v1/message/:id/headers', (context) => {
    context.body = presentHeaders(getMessage(context, store, context.params['id']));
  });
  router.get('/api/v1/message/:id/raw', (context) => {
    context.type = 'text/plain';
    context.body = getMessage(context, store, context.params['id']).raw;
  });

  router.get('/mailbox/switches', (context) => void (context.body = switches.get()));
  router.post('/mailbox/switches', async (context) => {
    // No other site's form can send this type from a browser.
    if (context.is('json') !== 'json') return context.throw(415, 'send JSON');
    const parsed = switchesSchema.safeParse(await readJson(context));
    if (!parsed.success) return context.throw(400, z.prettifyError(parsed.error));
    switches.set(parsed.data);
    context.body = parsed.data;
  });

  router.get('/', (context) => {
    showPage(context, listPage(store.all()));
  });
  router.get('/view/:id', (context) => {
    const message = getMessage(context, store, context.params['id']);
    message.read = true;
    showPage(context, messagePage(message));
  });
  router.get('/view/:id/html', (context) => {
    const html = htmlOf(getMessage(context, store, context.params['id']));
    context.type = 'html';
    context.set('Content-Security-Policy', mailPolicy);
    context.body = html;
  });

  const app = new Koa();
  // Requests that fail are answered; what is behind them is no news in a development tool.
  app.silent = true;
  app.use(async (context, next) => {
    context.set('X-Content-Type-Options', 'nosniff');
    context.set('Referrer-Policy', 'no-referrer');
    context.set('Cache-Control', 'no-store');
    await next();
  });
  app.use(router.routes()).use(router.allowedMethods());
  return app;
}

function presentList(
  context: Context,
  all: readonly StoredMessage[],
  found: readonly StoredMessage[],
) {
  const { start, limit } = pagingSchema.parse(context.query);
  const page = found.slice(start, start + limit);
  return {
    total: all.length,
    unread: unread(all),
    count: page.length,
    messages_count: found.length,
    messages_unread: unread(found),
    start,
    tags: [],
    messages: page.map(presentSummary),
  };
}

function unread(messages: readonly StoredMessage[]): number {
  return messages.filter(({ read }) => !read).length;
}

function getMessage(context: Context, store: MessageStore, id: string | undefined): StoredMessage {
  const message = store.find(id ?? '');
  if (message === undefined) return context.throw(404, 'no such message');
  return message;
}

/** The body as JSON; no body is an empty object. */
async function readJson(context: Context): Promise<unknown> {
  let body = '';
  for await (const chunk of context.req.setEncoding('utf8')) {
    body += chunk as string;
    if (body.length > maxBodyLength) return context.throw(413, 'the body is too large');
  }
  try {
    return body === '' ? {} : JSON.parse(body);
  } catch {
    return context.throw(400, 'the body is not JSON');
  }
}

function showPage(context: Context, html: string): void {
  context.type = 'html';
  context.set('Content-Security-Policy', pagePolicy);
  context.body = html;
}
