import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { createMailer, type Mailer } from '../mailer.ts';
import { mailboxReader } from '../testing/support.ts';
import { readMailboxConfig } from './config.ts';
import { type Mailbox, startMailbox } from './server.ts';
import { createMessageStore } from './store.ts';

describe('The mailbox', () => {
  let mailbox: Mailbox;
  let mailer: Mailer;
  let reader: ReturnType<typeof mailboxReader>;

  const send = (address: string, subject: string, html = '<p>hi</p>') =>
    mailer.send({
      messageId: `${subject.replace(/\W/g, '')}@platform.example`,
      to: { name: 'Ana', address },
      subject,
      text: `text of ${subject}`,
      html,
    });

  beforeAll(async () => {
    mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
    mailer = createMailer({
      smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      from: { name: 'Access', address: 'access@platform.example' },
      replyTo: 'help@platform.example',
    });
    reader = mailboxReader(mailbox.url);
  });
  beforeEach(() => reader.clear());
  afterAll(async () => {
    mailer.close();
    await mailbox.close();
  });

  it('lists what arrived as Mailpit does, newest first and in pages', async () => {
    for (const subject of ['one', 'two', 'three']) await send('ana@acme.example', subject);
    const all = await reader.list();
    expect(all).toMatchObject({ total: 3, unread: 3, count: 3, messages_count: 3, start: 0 });
    expect(all.messages.map(({ Subject }) => Subject)).toEqual(['three', 'two', 'one']);
    expect(all.messages[0]).toMatchObject({
      From: { Name: 'Access', Address: 'access@platform.example' },
      To: [{ Name: 'Ana', Address: 'ana@acme.example' }],
      ReplyTo: [{ Name: '', Address: 'help@platform.example' }],
      Snippet: 'text of three',
      Attachments: 0,
      Read: false,
    });
    const page = await reader.list('start=1&limit=1');
    expect(page).toMatchObject({ total: 3, count: 1, messages_count: 3, start: 1 });
    expect(page.messages.map(({ Subject }) => Subject)).toEqual(['two']);
  });

  it.each([
    ['to:ANA@acme.example', ['renew']],
    ['to:ana@acme.example subject:other', []],
    ['subject:"for rui"', ['for rui']],
    ['"text of renew"', ['renew']],
    ['from:access@platform.example', ['for rui', 'renew']],
    ['to:access@platform.example', []],
  ])('finds by %s', async (query, subjects) => {
    await send('ana@acme.example', 'renew');
    await send('rui@acme.example', 'for rui');
    const found = await reader.search(query);
    expect(found.messages.map(({ Subject }) => Subject)).toEqual(subjects);
    expect(found.messages_count).toBe(subjects.length);
  });

  it('counts a message as read once it was opened', async () => {
    await send('ana@acme.example', 'renew');
    await reader.message('latest');
    expect(await reader.list()).toMatchObject({ unread: 0, messages: [{ Read: true }] });
  });

  it('deletes the named messages, or all', async () => {
    for (const subject of ['one', 'two', 'three']) await send('ana@acme.example', subject);
    const [newest] = (await reader.list()).messages;
    await fetch(`${mailbox.url}/api/v1/messages`, {
      method: 'DELETE',
      body: JSON.stringify({ IDs: [newest?.ID] }),
    });
    expect((await reader.list()).messages.map(({ Subject }) => Subject)).toEqual(['two', 'one']);
    await reader.clear();
    expect((await reader.list()).total).toBe(0);
  });

  it('shows a hostile mail harmlessly: its subject as text, its HTML in a sandbox without scripts', async () => {
    await send('ana@acme.example', '<script>alert(1)</script>', '<script>alert(2)</script>');
    const list = await (await fetch(`${mailbox.url}/`)).text();
    expect(list).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const id = /href="\/view\/([\w-]+)"/.exec(list)?.[1];
    const page = await fetch(`${mailbox.url}/view/${id ?? ''}`);
    const body = await page.text();
    expect(list + body).not.toContain('<script');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(body).toMatch(/<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"/);
    expect(body).toContain('Message-Id: &lt;');
    const mail = await fetch(`${mailbox.url}/view/${id ?? ''}/html`);
    expect(mail.headers.get('content-security-policy')).toMatch(
      /^sandbox (?!.*allow-(scripts|same-origin)).*default-src 'none'/,
    );
  });

  it('is ready and tells how much it holds', async () => {
    for (const path of ['/livez', '/readyz']) {
      expect((await fetch(mailbox.url + path)).status).toBe(200);
    }
    await send('ana@acme.example', 'renew');
    const info: unknown = await (await fetch(`${mailbox.url}/api/v1/info`)).json();
    expect(info).toMatchObject({ Messages: 1, Unread: 1 });
  });

  it.each([
    ['application/json', '{"failAll":"yes"}', 400],
    ['application/json', '{"unknown":true}', 400],
    ['application/json', 'no json', 400],
    ['text/plain', '{"failAll":true}', 415],
  ])('refuses switches sent as %s: %s', async (type, body, status) => {
    const response = await fetch(`${mailbox.url}/mailbox/switches`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect(response.status).toBe(status);
    expect((await send('ana@acme.example', 'renew')).result).toBe('accepted');
  });

  it('answers 404 for a message that is not there', async () => {
    expect((await fetch(`${mailbox.url}/api/v1/message/none`)).status).toBe(404);
  });

  it('says which port is taken and how to choose another, and keeps no other port open', async () => {
    await expect(startMailbox({ smtpPort: mailbox.smtpPort, httpPort: 0 })).rejects.toThrow(
      `Port ${mailbox.smtpPort} is taken. End what uses it, or choose another with MAILBOX_SMTP_PORT.`,
    );
    await expect(startMailbox({ smtpPort: 0, httpPort: mailbox.httpPort })).rejects.toThrow(
      'MAILBOX_HTTP_PORT',
    );
  });
});

it('keeps the newest 2,000 messages', async () => {
  const store = createMessageStore();
  for (let number = 1; number <= 2_001; number += 1) {
    await store.add(Buffer.from(`Subject: ${number}\r\n\r\nx`), { from: 'a@b.c', to: ['d@e.f'] });
  }
  expect(store.all()).toHaveLength(2_000);
  expect(store.all()[0]?.mail.subject).toBe('2001');
  expect(store.all().at(-1)?.mail.subject).toBe('2');
});

it('names a recipient of the envelope that no header names as Bcc', async () => {
  const message = await createMessageStore().add(Buffer.from('To: d@e.f\r\n\r\nx'), {
    from: 'a@b.c',
    to: ['D@e.f', 'g@h.i'],
  });
  expect(message.bcc).toEqual([{ Name: '', Address: 'g@h.i' }]);
});

describe('The configuration of the mailbox', () => {
  it('takes Mailpit’s ports unless told otherwise', () => {
    expect(readMailboxConfig({})).toEqual({ smtpPort: 1025, httpPort: 8025 });
    expect(readMailboxConfig({ MAILBOX_SMTP_PORT: '2', MAILBOX_HTTP_PORT: '3' })).toEqual({
      smtpPort: 2,
      httpPort: 3,
    });
  });

  it('lists all faults together', () => {
    expect(() => readMailboxConfig({ NODE_ENV: 'production', MAILBOX_SMTP_PORT: 'x' })).toThrow(
      /NODE_ENV: .*development only.*; MAILBOX_SMTP_PORT: /,
    );
  });
});

describe('The mailbox as a process', () => {
  const run = (environment: NodeJS.ProcessEnv) =>
    spawn(process.execPath, ['--import', 'tsx', 'infra/mail/mailbox/main.ts'], {
      env: { MAILBOX_SMTP_PORT: '0', MAILBOX_HTTP_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  it('does not start in production', async () => {
    const child = run({ NODE_ENV: 'production' });
    const exited = once(child, 'exit');
    const output = await text(child.stdout);
    expect((await exited)[0]).toBe(1);
    expect(output).toContain('for development only');
  });

  it('starts, says where it listens, and ends on SIGTERM', async () => {
    const child = run({ NODE_ENV: 'test' });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toMatchObject({ msg: 'mailbox is ready' });
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
  });
});
