import { describe, expect, it } from '@jest/globals';

import type { MailInput } from './messages.ts';
import { renderMail } from './render.ts';
import {
  buildCaRefusal,
  buildInvitation,
  buildLapsed,
  buildMembership,
  buildOfEveryKind,
  buildPasswordChanged,
  buildPasswordReset,
  buildReminder,
  buildUsageWarning,
} from './testing/support.ts';

/** What a reader of the HTML part sees, its entities resolved. */
function visible(html: string): string {
  return html
    .replace(/<style[\s\S]*?<\/style>|<!--[\s\S]*?-->|<title>[\s\S]*?<\/title>/g, '')
    .replace(/<[^>]+>/g, '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&');
}

/** Both parts of a mail, since both must tell the same. */
async function partsOf(input: MailInput): Promise<string[]> {
  const { text, html } = await renderMail(input);
  return [text, visible(html)];
}

describe('A reminder', () => {
  it('says in its subject which access ends, when in the account’s zone, and how many days are left', async () => {
    expect((await renderMail(buildReminder())).subject).toBe(
      "Access to 'ACME seal' ends Tue, 16 Jun 2026, 15:04 WEST - 3 days left",
    );
  });

  it.each([
    'ACME seal',
    'ACME, Lda.',
    "Multicert's Certificate Issuance System",
    'Hello Ana Sousa,',
    'Tuesday, 16 June 2026 at 15:04 WEST (Europe/Lisbon)',
    '3 days left',
    '123,456,789 of 1,000,000,000 signatures (12 %)',
    'The time limit: 60 days since the access was given',
    'all client services that use it are suspended',
    'Certificates > Detail',
    'press Renew',
    'Every operator of ACME, Lda. gets this mail, and it is enough that one of you acts.',
  ])('says in text and in HTML: %s', async (words) => {
    for (const part of await partsOf(buildReminder())) expect(part).toContain(words);
  });

  it('leads to the certificate, in text and in HTML', async () => {
    const { text, html } = await renderMail(buildReminder());
    expect(text).toContain('https://certificates.example/certificates/c1');
    expect(html).toContain('href="https://certificates.example/certificates/c1"');
  });

  it.each([
    ['2026-03-28T20:00:00Z', 'Sat, 28 Mar 2026, 20:00 WET'],
    ['2026-03-29T00:59:00Z', 'Sun, 29 Mar 2026, 00:59 WET'],
    ['2026-03-29T01:00:00Z', 'Sun, 29 Mar 2026, 02:00 WEST'],
    ['2026-10-25T00:59:00Z', 'Sun, 25 Oct 2026, 01:59 WEST'],
    ['2026-10-25T01:00:00Z', 'Sun, 25 Oct 2026, 01:00 WET'],
  ])('tells an end at %s as %s', async (expiresAt, told) => {
    const input = buildReminder({
      grant: { expiresAt: new Date(expiresAt) },
      mail: { now: new Date(Date.parse(expiresAt) - 3_600_000) },
    });
    expect((await renderMail(input)).subject).toContain(told);
  });

  it('tells the time in the zone of an account elsewhere', async () => {
    const input = buildReminder({
      mail: { account: { name: 'Ilha', timeZone: 'Atlantic/Azores' } },
    });
    for (const part of await partsOf(input))
      expect(part).toContain('14:04 GMT+0 (Atlantic/Azores)');
  });

  it('tells the time in UTC, and says so, when the account’s zone is unknown', async () => {
    const input = buildReminder({ mail: { account: { name: 'A', timeZone: 'Mars/Olympus' } } });
    for (const part of await partsOf(input)) expect(part).toContain('14:04 UTC (UTC)');
  });

  it.each([
    ['2026-06-09T14:04:00Z', '7 days left'],
    // Lisbon is an hour ahead of UTC in June, so the local date changes at 23:00 UTC.
    ['2026-06-14T22:59:59Z', '2 days left'],
    ['2026-06-14T23:00:00Z', 'tomorrow, 1 day left'],
    ['2026-06-15T23:00:00Z', 'today'],
    ['2026-06-16T14:04:01Z', 'today'],
  ])('sent at %s says: %s', async (now, told) => {
    const { subject } = await renderMail(buildReminder({ mail: { now: new Date(now) } }));
    expect(subject).toMatch(new RegExp(` - ${told}$`));
  });

  it('counts days on the calendar over a change of the clocks', async () => {
    const { subject } = await renderMail(
      buildReminder({
        mail: { now: new Date('2026-03-25T09:00:00Z') },
        grant: { expiresAt: new Date('2026-04-01T08:00:00Z') },
      }),
    );
    expect(subject).toContain('09:00 WEST - 7 days left');
  });

  it.each([
    [900_000_001, '900,000,001 of 1,000,000,000 signatures (90 %)'],
    [999_999_999, '999,999,999 of 1,000,000,000 signatures (99 %)'],
    [1_000_000_000, '1,000,000,000 of 1,000,000,000 signatures (100 %)'],
  ])('with %s signatures used never rounds the percentage up', async (used, told) => {
    for (const part of await partsOf(buildReminder({ grant: { used } }))) {
      expect(part).toContain(told);
    }
  });

  it('tells both limits in one mail when both are near', async () => {
    const { subject, text } = await renderMail(
      buildReminder({ mail: { warnings: ['time', 'usage'] }, grant: { used: 912_345_678 } }),
    );
    expect(subject).toBe(
      "Access to 'ACME seal' ends Tue, 16 Jun 2026, 15:04 WEST - 3 days left, 91 % used",
    );
    expect(text).toContain('or earlier when all signatures are used: 912,345,678 of 1,000,000,000');
  });

  it('speaks of the usage when only that is near', async () => {
    const input = buildReminder({
      mail: { warnings: ['usage'] },
      grant: { used: 912_345_678, bindingLimit: 'policy_usage' },
    });
    const { subject, text } = await renderMail(input);
    expect(subject).toBe(
      "91 % of the signatures used: 'ACME seal', access ends Tue, 16 Jun 2026, 15:04 WEST - 3 days left",
    );
    expect(text).toContain('What ends it first: The usage limit: 1,000,000,000 signatures');
  });

  it('says that renewing does not help when the certificate itself is what ends', async () => {
    const { text } = await renderMail(buildReminder({ grant: { bindingLimit: 'certificate' } }));
    expect(text).toContain('Renewing the access does not help: the certificate must be replaced.');
    expect(text).not.toContain('press Renew');
  });

  it('says when the CA authorised less than usual', async () => {
    const { text } = await renderMail(buildReminder({ grant: { bindingLimit: 'ca' } }));
    expect(text).toContain(
      "What Multicert's Certificate Issuance System authorised, which is less than the usual limits",
    );
  });

  it('for a Portuguese operator is in Portuguese, with Portuguese dates and numbers', async () => {
    const { subject, text, html } = await renderMail(
      buildReminder({ mail: { operator: { name: 'Ana', locale: 'pt-PT' } } }),
    );
    expect(subject).toBe(
      "O acesso a 'ACME seal' termina terça, 16/06/2026, 15:04 WEST - faltam 3 dias",
    );
    expect(text).toContain('terça-feira, 16 de junho de 2026 às 15:04 WEST (Europe/Lisbon)');
    expect(text).toContain(
      '123\u00a0456\u00a0789 de 1\u00a0000\u00a0000\u00a0000 assinaturas (12 %)',
    );
    expect(html).toContain('lang="pt-PT"');
  });
});

describe('A usage warning', () => {
  it('says that the level has just been reached, and how much is used', async () => {
    for (const part of await partsOf(buildUsageWarning(900_000_001))) {
      expect(part).toContain(
        'has just reached its warning level: 900,000,001 of the 1,000,000,000',
      );
      expect(part).toContain('Tuesday, 16 June 2026 at 15:04 WEST (Europe/Lisbon)');
    }
  });
});

describe('A mail about a lapse', () => {
  it.each([
    ['grant_expired', "access to 'ACME seal' ended", 'reached its time limit', 'press Renew'],
    [
      'allowance_exhausted',
      "all signatures for 'ACME seal' used",
      'All 1,000,000,000',
      'press Renew',
    ],
    ['revoked', "emergency stop of 'ACME seal'", 'Rui Costa pressed', 'Talk to Rui Costa first'],
    ['ended_by_ca', "the CA ended the access to 'ACME seal'", 'before its time', 'ask why'],
    ['certificate_ended', "certificate 'ACME seal' ended", 'its own end', 'must be replaced'],
  ] as const)('for %s says so, since when, and what to do', async (reason, subject, lead, todo) => {
    const input = buildLapsed({ reason, revokedBy: 'Rui Costa' });
    expect((await renderMail(input)).subject).toBe(
      `Signing stopped: ${subject} Tue, 16 Jun 2026, 15:04 WEST`,
    );
    const advice = reason === 'ended_by_ca' ? `ask ${input.authority.name} why` : todo;
    for (const part of await partsOf(input)) {
      expect(part).toContain(lead);
      expect(part).toContain('Tuesday, 16 June 2026 at 15:04 WEST (Europe/Lisbon)');
      expect(part).toContain(advice);
    }
  });

  it('names the suspended services and says that each is activated by hand', async () => {
    for (const part of await partsOf(buildLapsed())) {
      expect(part).toContain('Invoices');
      expect(part).toContain('Payslips');
      expect(part).toContain('activate each client service by hand');
    }
  });

  it.each([
    [20, 'Service 20', 'more'],
    [21, '1 more', 'Service 21'],
    [5000, '4980 more', 'Service 21'],
  ])('with %s suspended services names at most 20', async (count, present, absent) => {
    const suspendedServices = Array.from({ length: count }, (_, index) => `Service ${index + 1}`);
    const { text } = await renderMail(buildLapsed({ suspendedServices }));
    const list = text.slice(text.indexOf('CLIENT SERVICES SUSPENDED'), text.indexOf('WHAT TO DO'));
    expect(list).toContain(`(${count})`);
    expect(list).toContain(`- ${present}\n`);
    expect(list).not.toContain(absent);
  });

  it('does not ask for a renewal that would not help', async () => {
    const { text } = await renderMail(buildLapsed({ reason: 'certificate_ended' }));
    expect(text).not.toContain('press Renew');
  });

  it('says when no client service was active', async () => {
    const { text } = await renderMail(buildLapsed({ suspendedServices: [] }));
    expect(text).toContain('No client service of this certificate was active.');
  });
});

describe('A mail about a refusal by the CA', () => {
  it('says what the CA answered, that nothing was suspended, and what to do', async () => {
    const input = buildCaRefusal();
    expect((await renderMail(input)).subject).toBe(
      "The CA refuses signatures with 'ACME seal', reported Sat, 13 Jun 2026, 08:30 WEST (access ends Tue, 16 Jun 2026, 15:04 WEST, 3 days left)",
    );
    for (const part of await partsOf(input)) {
      expect(part).toContain('invalid_request: SAD');
      expect(part).toContain('Nothing was suspended');
      expect(part).toContain('client account');
    }
  });
});

describe('An invitation', () => {
  it.each([
    'Rui Costa has made you an operator of ACME, Lda.',
    'Account',
    'Operator: also renews access and activates services',
    'Invited by',
    'The link is good until',
    // 08:00 UTC, in the account's zone.
    'Saturday, 20 June 2026 at 09:00 WEST (Europe/Lisbon)',
    'Choose your password',
    'It works once',
    'Do not pass this mail on',
  ])('says in text and in HTML: %s', async (words) => {
    for (const part of await partsOf(buildInvitation())) expect(part).toContain(words);
  });

  it('says what to do for somebody who did not expect it', async () => {
    for (const part of await partsOf(buildInvitation())) {
      expect(part).toMatch(/if you did not expect this/i);
      expect(part).toContain('If you do not know Rui Costa, answer this mail.');
    }
  });

  it('has its token in the link alone, behind the #, and nowhere in subject or preview', async () => {
    const { subject, preview, text, html } = await renderMail(buildInvitation());
    expect(subject).toBe('Rui Costa invites you to ACME, Lda.');
    expect(text.split('canary-token')).toHaveLength(2);
    expect(text).toContain('https://certificates.example/invitation#canary-token\n');
    expect(html.split('canary-token')).toHaveLength(2);
    expect(html).toContain('href="https://certificates.example/invitation#canary-token"');
    expect(subject + preview).not.toContain('canary-token');
  });

  it.each([
    ['viewer', 'Viewer: sees everything, changes nothing'],
    ['admin', 'Administrator: also manages settings, operators and API keys'],
  ] as const)('names the role of a %s', async (role, told) => {
    for (const part of await partsOf(buildInvitation({ role }))) expect(part).toContain(told);
  });

  it('for somebody Portuguese is in Portuguese', async () => {
    const { subject, text } = await renderMail(
      buildInvitation({ operator: { name: 'Ana', locale: 'pt-PT' } }),
    );
    expect(subject).toBe('Convite de Rui Costa para ACME, Lda.');
    expect(text).toContain('sábado, 20 de junho de 2026 às 09:00 WEST (Europe/Lisbon)');
    expect(text).toContain('Se não conhece Rui Costa, responda a esta mensagem.');
  });
});

describe('A mail about a further account', () => {
  it('says whose it is, that the password stays, and leads to the sign-in', async () => {
    const input = buildMembership();
    expect((await renderMail(input)).subject).toBe(
      'Rui Costa has made you an operator of ACME, Lda.',
    );
    for (const part of await partsOf(input)) {
      expect(part).toContain('with the same e-mail address and the same password');
      expect(part).toContain('Sign in');
    }
    expect((await renderMail(input)).text).toContain('https://certificates.example/certificates\n');
  });
});

describe('A mail with a link to choose a new password', () => {
  it.each([
    // 08:00 and 09:00 UTC, in the zone of the operator's account.
    'On Saturday, 13 June 2026 at 09:00 WEST (Europe/Lisbon) somebody asked for a new password',
    'choose it by Saturday, 13 June 2026 at 10:00 WEST (Europe/Lisbon)',
    'Until you do, your password is as it was.',
    'It works once',
    'all your sessions end',
    'Do nothing: your password stays as it is',
    'Do not pass this mail on',
    'times are in the zone Europe/Lisbon',
  ])('says in text and in HTML: %s', async (words) => {
    for (const part of await partsOf(buildPasswordReset())) expect(part).toContain(words);
  });

  it('has its token in the link alone, behind the #, and nowhere in subject or preview', async () => {
    const { subject, preview, text, html } = await renderMail(buildPasswordReset());
    expect(subject).toBe('Choose a new password for Certificate Access');
    expect(text.split('canary-token')).toHaveLength(2);
    expect(text).toContain('https://certificates.example/password-reset#canary-token\n');
    expect(html.split('canary-token')).toHaveLength(2);
    expect(subject + preview).not.toContain('canary-token');
  });

  it('for somebody Portuguese is in Portuguese', async () => {
    const { subject, text } = await renderMail(
      buildPasswordReset({ operator: { name: 'Ana', locale: 'pt-PT' } }),
    );
    expect(subject).toBe('Escolha uma nova palavra-passe para o Certificate Access');
    expect(text).toContain('até sábado, 13 de junho de 2026 às 10:00 WEST (Europe/Lisbon)');
  });
});

describe('A mail that the password was changed', () => {
  it.each([
    ['mail', 'With the link of a mail to this address'],
    ['present_password', 'By who was signed in and knew the password before'],
  ] as const)(
    'by %s says when and how, and what to do if it was somebody else',
    async (by, how) => {
      for (const part of await partsOf(buildPasswordChanged({ by }))) {
        expect(part).toContain('On Saturday, 13 June 2026 at 09:20 WEST (Europe/Lisbon)');
        expect(part).toContain(how);
        expect(part).toContain('All sessions that were begun with the one before have ended.');
        expect(part).toContain('ask for a new password at once');
      }
    },
  );

  it('leads to where a new one is asked for, without a token', async () => {
    const { subject, text } = await renderMail(buildPasswordChanged());
    expect(subject).toBe('Your password for Certificate Access was changed');
    expect(text).toContain('https://certificates.example/forgot-password\n');
    expect(text).not.toContain('#');
  });
});

describe('Every mail', () => {
  it.each(['en', 'pt-PT'])('in %s has all four parts and no word left out', async (locale) => {
    for (const input of buildOfEveryKind()) {
      const mail = await renderMail({ ...input, operator: { name: 'Ana', locale } });
      for (const part of [mail.subject, mail.preview, mail.text, mail.html]) {
        expect(part.length).toBeGreaterThan(20);
        expect(part).not.toMatch(/undefined|NaN|\[object|\[\[|Invalid Date/);
      }
    }
  });

  it('loads nothing: no image, no script, no font, no style sheet', async () => {
    for (const input of buildOfEveryKind()) {
      const { html } = await renderMail(input);
      expect(html).not.toMatch(
        /<(?:img|script|iframe|link|object|form|input)\b|@import|url\(|src=/i,
      );
      // What is left are the link of the mail and the names of XML vocabularies.
      const addresses = html.match(/https?:[^"' )<]*/g) ?? [];
      expect(new Set(addresses)).toEqual(new Set([input.link, 'http://www.w3.org/1999/xhtml']));
    }
  });

  it('is ready for dark screens and 600 px wide', async () => {
    const { html } = await renderMail(buildReminder());
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).toContain('name="color-scheme" content="light dark"');
    expect(html).toContain('max-width:600px');
  });

  it('keeps hostile data as text: markup, quotes, line breaks, slots of the layout, direction marks', async () => {
    const hostile = `<script>alert("1")</script>' onload='x'\r\nBcc: eve@evil.example\u2028[[href]]\u202e`;
    for (const input of buildOfEveryKind()) {
      const operator = { name: hostile, locale: 'en' };
      if (!('account' in input)) {
        const { html, text } = await renderMail({ ...input, operator });
        expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;');
        expect(text).not.toMatch(/^Bcc:|[\r\u2028\u202e]/m);
        continue;
      }
      const account = { ...input.account, name: hostile };
      const mail = await renderMail(
        'invitedBy' in input
          ? { ...input, account, operator, invitedBy: hostile }
          : {
              ...input,
              account,
              operator,
              certificate: { id: 'c1', alias: hostile },
              authority: { name: hostile },
              ...(input.kind === 'lapsed'
                ? { suspendedServices: [hostile], revokedBy: hostile }
                : {}),
              ...(input.kind === 'ca_refusal' ? { caError: hostile } : {}),
            },
      );
      // Inside a quoted attribute it is text: what counts is that it gets out of none.
      expect(mail.html.replace(/"[^"]*"/g, '')).not.toMatch(/<script|<[^>]*\sonload=/i);
      expect(mail.html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;');
      expect(mail.subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
      expect(mail.text).not.toMatch(/^Bcc:|[\r\u2028\u202e]/m);
    }
  });

  it('shortens a very long alias, so that the subject still shows the date', async () => {
    const { subject } = await renderMail(
      buildReminder({ mail: { certificate: { id: 'c1', alias: '🔏'.repeat(500) } } }),
    );
    expect(subject).toContain(`${'🔏'.repeat(59)}…' ends Tue, 16 Jun 2026`);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', '/certificates/c1'])(
    'is not made with the link %s',
    async (link) => {
      await expect(renderMail(buildReminder({ mail: { link } }))).rejects.toThrow();
    },
  );
});
