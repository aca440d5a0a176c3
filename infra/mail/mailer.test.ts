import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { openDoor } from '../../test/support/door.ts';
import { type Mailbox, startMailbox } from './mailbox/server.ts';
import { portOf } from './mailbox/smtp.ts';
import { createMailer, type Mailer, type OutgoingMail } from './mailer.ts';
import { renderMail } from './render.ts';
import { buildOfEveryKind, buildReminder, mailboxReader } from './testing/support.ts';

const from = { name: 'Certificate Access', address: 'access@platform.example' };
const replyTo = 'help@platform.example';

function mailerTo(port: number, totalMs = 30_000): Mailer {
  return createMailer({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from,
    replyTo,
    timeouts: { connectionMs: 2_000, greetingMs: 2_000, socketMs: 2_000, totalMs },
  });
}

const buildMail = (overrides: Partial<OutgoingMail> = {}): OutgoingMail => ({
  messageId: 'reminder.1@platform.example',
  to: { name: 'Ana', address: 'ana@acme.example' },
  subject: 'Hello',
  text: 'Hello in text',
  html: '<p>Hello in HTML</p>',
  ...overrides,
});

describe('The mailer, against the mailbox', () => {
  let mailbox: Mailbox;
  let mailer: Mailer;
  let reader: ReturnType<typeof mailboxReader>;

  beforeAll(async () => {
    mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
    mailer = mailerTo(mailbox.smtpPort);
    reader = mailboxReader(mailbox.url);
  });
  afterEach(async () => {
    await reader.setSwitches({});
    await reader.clear();
  });
  afterAll(async () => {
    mailer.close();
    await mailbox.close();
  });

  it.each(['en', 'pt-PT'])('delivers every kind in %s just as it was rendered', async (locale) => {
    for (const [index, input] of buildOfEveryKind().entries()) {
      const mail = await renderMail({ ...input, operator: { name: 'Ana Sousa', locale } });
      const sent = await mailer.send(
        buildMail({ ...mail, messageId: `${locale}.${index}@platform.example` }),
      );
      expect(sent.result).toBe('accepted');
      const [summary] = (await reader.list('limit=1')).messages;
      expect(summary?.Subject).toBe(mail.subject);
      expect(summary?.MessageID).toBe(`${locale}.${index}@platform.example`);
      const received = await reader.message('latest');
      // "-- " keeps its blank, the ends of the parts may differ by line breaks.
      expect(received.Text.trim()).toBe(mail.text.trim());
      expect(received.HTML.trim()).toBe(mail.html.trim());
    }
  });

  it('sends so many at once as it may, lets the others wait their turn, and gives up on none too early', async () => {
    await reader.setSwitches({ delayMs: 150 });
    const two = createMailer({
      ...{ smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`, from, replyTo, atOnce: 2 },
    });
    const startedAt = performance.now();
    const results = await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        two.send(buildMail({ messageId: `turn.${index}@platform.example` })),
      ),
    );
    expect(results.map(({ result }) => result)).toEqual(Array(4).fill('accepted'));
    expect(performance.now() - startedAt).toBeGreaterThan(300);
    two.close();
  });

  it('gives up on mails that wait for a relay that hangs, and is free again afterwards', async () => {
    const silent = await openDoor();
    const one = createMailer({
      ...{ smtpUrl: `smtp://127.0.0.1:${silent.port}`, from, replyTo, atOnce: 1 },
      timeouts: { totalMs: 200 },
    });
    for (const result of await Promise.all([one.send(buildMail()), one.send(buildMail())])) {
      expect(result).toMatchObject({ result: 'failed' });
    }
    expect(await one.send(buildMail())).toMatchObject({
      reason: expect.not.stringMatching('too many') as unknown,
    });
    one.close();
    await silent.close();
  });

  it('marks a mail as automatic, as part of a list and a conversation, with an address that a person reads', async () => {
    await mailer.send(buildMail({ threadId: 'grant.7@platform.example' }));
    const headers = await reader.headers('latest');
    expect(headers).toMatchObject({
      'Message-Id': ['<reminder.1@platform.example>'],
      References: ['<grant.7@platform.example>'],
      'Auto-Submitted': ['auto-generated'],
      'X-Auto-Response-Suppress': ['All'],
      'List-Id': ['Certificate Access <certificate-access.platform.example>'],
      From: ['Certificate Access <access@platform.example>'],
      To: ['Ana <ana@acme.example>'],
      'Reply-To': ['help@platform.example'],
    });
    expect(headers).not.toHaveProperty('List-Unsubscribe');
  });

  it('does not let the first mail of a conversation refer to itself', async () => {
    await mailer.send(buildMail({ threadId: 'reminder.1@platform.example' }));
    expect(await reader.headers('latest')).not.toHaveProperty('References');
  });

  it('gives every try of one message the same Message-ID', async () => {
    await mailer.send(buildMail());
    await mailer.send(buildMail());
    const { messages } = await reader.list();
    expect(messages.map(({ MessageID }) => MessageID)).toEqual([
      'reminder.1@platform.example',
      'reminder.1@platform.example',
    ]);
  });

  it('reports a recipient refused for good, without repeating the address', async () => {
    await reader.setSwitches({ refuseRecipients: { 'Ana@acme.example': 550 } });
    const sent = await mailer.send(buildMail());
    expect(sent).toMatchObject({ result: 'refused', permanent: true });
    expect(sent).toHaveProperty('reason', expect.stringContaining('RCPT TO: 550 <[address]>'));
    expect(JSON.stringify(sent)).not.toMatch(/ana|acme/i);
    expect((await reader.list()).total).toBe(0);
  });

  it('lets one refused recipient not stand in the way of another', async () => {
    await reader.setSwitches({ refuseRecipients: { 'ana@acme.example': 550 } });
    const [ana, rui] = await Promise.all([
      mailer.send(buildMail()),
      mailer.send(buildMail({ to: { name: 'Rui', address: 'rui@acme.example' } })),
    ]);
    expect([ana.result, rui.result]).toEqual(['refused', 'accepted']);
  });

  it.each([421, 450, 452])('takes %s for a recipient as a failure to try again', async (code) => {
    await reader.setSwitches({ refuseRecipients: { 'ana@acme.example': code } });
    expect((await mailer.send(buildMail())).result).toBe('failed');
  });

  it('takes a relay that wants a login (530) as a failure to try again: the recipient is not to blame', async () => {
    await reader.setSwitches({ refuseRecipients: { 'ana@acme.example': 530 } });
    expect((await mailer.send(buildMail())).result).toBe('failed');
  });

  it('takes a relay in trouble as a failure, and delivers when it is well again', async () => {
    await reader.setSwitches({ failAll: true });
    const sent = await mailer.send(buildMail());
    expect(sent).toEqual({ result: 'failed', reason: expect.stringContaining('MAIL FROM: 451') });
    await reader.setSwitches({});
    expect((await mailer.send(buildMail())).result).toBe('accepted');
  });

  it('takes an answer lost after delivery as a failure, and sends the message once only', async () => {
    await reader.setSwitches({ dropAfterData: true });
    expect((await mailer.send(buildMail())).result).toBe('failed');
    expect((await reader.list()).total).toBe(1);
  });

  it('gives up a relay that takes too long', async () => {
    await reader.setSwitches({ delayMs: 60_000 });
    const impatient = mailerTo(mailbox.smtpPort, 200);
    expect((await impatient.send(buildMail())).result).toBe('failed');
    expect((await reader.list()).total).toBe(0);
  });

  it.each([
    { subject: 'Hello\r\nBcc: eve@evil.example' },
    { subject: 'Hello\r\n\r\n<script>alert(1)</script>' },
    { to: { name: 'Ana\r\nBcc: eve@evil.example', address: 'ana@acme.example' } },
    { to: { name: 'Ana" <eve@evil.example>, "x', address: 'ana@acme.example' } },
  ])('lets no data become a header or a recipient: %j', async (overrides) => {
    expect((await mailer.send(buildMail(overrides))).result).toBe('accepted');
    const [summary] = (await reader.list()).messages;
    expect(summary?.To.map(({ Address }) => Address)).toEqual(['ana@acme.example']);
    expect(summary?.Bcc).toEqual([]);
    expect(await reader.headers('latest')).not.toHaveProperty('Bcc');
    expect((await reader.message('latest')).Text.trim()).toBe('Hello in text');
  });

  it.each([
    'ana@acme.example, eve@evil.example',
    'ana@acme.example\r\nRCPT TO:<eve@evil.example>',
    '<ana@acme.example> <eve@evil.example>',
    'ana',
    '',
  ])('refuses what is no single address: %j', async (address) => {
    const sent = await mailer.send(buildMail({ to: { name: 'Ana', address } }));
    expect(sent).toEqual({ result: 'refused', permanent: true, reason: 'not a mail address' });
    expect((await reader.list()).total).toBe(0);
  });

  it.each(['no-domain', 'a@b>\r\nBcc: eve@evil.example', '<a@b>'])(
    'does not send under the message id %j',
    async (messageId) => {
      await expect(mailer.send(buildMail({ messageId }))).rejects.toThrow('local@domain');
    },
  );

  it('can tell that the relay is there', async () => {
    expect(await mailer.verify()).toEqual({ ok: true });
  });

  it('sends a hostile alias so that it arrives as text', async () => {
    const alias = `<script>alert(1)</script>\r\nBcc: eve@evil.example`;
    const mail = await renderMail(buildReminder({ mail: { certificate: { id: 'c1', alias } } }));
    await mailer.send(buildMail(mail));
    const [summary] = (await reader.list()).messages;
    expect(summary?.Subject).toContain("'<script>alert(1)</script> Bcc: eve@evil.example'");
    expect(summary?.Bcc).toEqual([]);
    expect((await reader.message('latest')).HTML).not.toContain('<script');
  });
});

describe('The mailer, against relays that are not well', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return portOf(server.address());
  }

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  it('takes a refused connection as a failure and says so', async () => {
    const port = await listen(() => undefined);
    servers[0]?.close();
    const mailer = mailerTo(port);
    const reason = expect.stringContaining('ECONNREFUSED');
    expect(await mailer.send(buildMail())).toEqual({ result: 'failed', reason });
    expect(await mailer.verify()).toEqual({ ok: false, reason });
  });

  it('takes a relay that never greets as a failure', async () => {
    const port = await listen(() => undefined);
    const mailer = createMailer({
      smtpUrl: `smtp://127.0.0.1:${port}`,
      from,
      replyTo,
      timeouts: { greetingMs: 100 },
    });
    expect((await mailer.send(buildMail())).result).toBe('failed');
  });

  it('gives up a relay that trickles its answer without an end', async () => {
    const port = await listen((socket) => {
      const trickle = setInterval(() => socket.write('220-still thinking\r\n'), 20);
      socket.once('close', () => {
        clearInterval(trickle);
      });
    });
    expect((await mailerTo(port, 300).send(buildMail())).result).toBe('failed');
  });

  it('keeps a long answer short', async () => {
    const port = await listen((socket) => {
      socket.write(`554 ${'no '.repeat(5_000)}ana@acme.example\r\n`);
    });
    const sent = await mailerTo(port).send(buildMail());
    expect(sent.result).toBe('failed');
    expect(JSON.stringify(sent).length).toBeLessThan(260);
  });

  it.each(['http://relay.example', 'relay.example', 'smtp://u:secret-word@[bad'])(
    'is not made for %s, and does not repeat the address',
    (smtpUrl) => {
      expect(() => createMailer({ smtpUrl, from, replyTo })).toThrow(
        'The SMTP address must be an smtp:// or smtps:// URL.',
      );
    },
  );

  it('is not made with a sender that is no address', () => {
    const wrong = { name: 'x', address: 'nobody' };
    expect(() => createMailer({ smtpUrl: 'smtp://h', from: wrong, replyTo })).toThrow('sender');
  });
});
