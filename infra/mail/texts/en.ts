import type { MailTexts } from './texts.ts';

const endsBy =
  'When the access ends, signing with this certificate stops at once and all client services that use it are suspended.';

/** English. */
export const en: MailTexts = {
  tag: 'en',
  locale: 'en-GB',
  timeLeft: (days) =>
    days === 0 ? 'today' : days === 1 ? 'tomorrow, 1 day left' : `${days} days left`,
  greeting: (name) => `Hello ${name},`,
  more: (count) => `${count} more`,
  usage: (w) => `${w.used} of ${w.allowance} signatures (${w.percent} %)`,
  someone: 'an administrator',
  labels: {
    certificate: 'Certificate',
    account: 'Account',
    authority: 'Certificate authority',
    endsAt: 'Access ends',
    endedAt: 'Access ended',
    timeLeft: 'Time left',
    usage: 'Used',
    limit: 'What ends it first',
    reason: 'Reason',
    stoppedBy: 'Stopped by',
    reportedAt: 'Reported',
    caError: 'The CA answered',
    role: 'Your role',
    invitedBy: 'Invited by',
    linkEndsAt: 'The link is good until',
    requestedAt: 'Asked for',
    changedAt: 'Changed',
    changedBy: 'How',
  },
  limits: {
    policy_time: (w) => `The time limit: ${w.termDays} days since the access was given`,
    policy_usage: (w) => `The usage limit: ${w.allowance} signatures`,
    ca: (w) => `What ${w.authority} authorised, which is less than the usual limits`,
    certificate: () => 'The end of the certificate itself',
  },
  titles: {
    otherwise: 'What happens otherwise',
    whatToDo: 'What to do',
    suspended: 'Client services suspended',
    notExpected: 'If you did not expect this',
  },
  openCertificate: 'Open the certificate',
  otherwise: () =>
    `${endsBy} After a later renewal each of them has to be activated again by hand.`,
  renewSteps: (w) => [
    'Open the link below. It leads to Certificates > Detail.',
    'On the second card press Renew and confirm the redirection.',
    `Authenticate at ${w.authority} with the client account, and enter the PIN or OTP if you are asked for it.`,
  ],
  renewalCountsFromNow:
    'The new access counts from the moment of the renewal, with the signature count back at zero. Days that were left are not added.',
  replace: {
    why: () =>
      'The certificate itself ends. Renewing the access does not help: the certificate must be replaced.',
    steps: (w) => [
      `Order the replacement from ${w.authority}.`,
      'Have it registered and renew the access to the new certificate.',
      'Move the client services to the new certificate.',
    ],
  },
  reminder: {
    subject: {
      time: (w) => `Access to '${w.alias}' ends ${w.endsAtShort} - ${w.timeLeft}`,
      usage: (w) =>
        `${w.percent} % of the signatures used: '${w.alias}', access ends ${w.endsAtShort} - ${w.timeLeft}`,
      both: (w) =>
        `Access to '${w.alias}' ends ${w.endsAtShort} - ${w.timeLeft}, ${w.percent} % used`,
    },
    headline: {
      time: (w) => `The access to '${w.alias}' ends soon`,
      usage: (w) => `The signatures for '${w.alias}' are nearly used up`,
      both: (w) => `The access to '${w.alias}' ends soon, and its signatures are nearly used up`,
    },
    lead: {
      time: (w) =>
        `The permission of ${w.authority} to sign with this certificate ends on ${w.endsAt}.`,
      usage: (w) =>
        `${w.used} of the ${w.allowance} signatures that ${w.authority} permitted are used (${w.percent} %). The access ends when all are used, or on ${w.endsAt}, whichever comes first.`,
      both: (w) =>
        `The permission of ${w.authority} to sign with this certificate ends on ${w.endsAt}, or earlier when all signatures are used: ${w.used} of ${w.allowance} are (${w.percent} %).`,
    },
    closing: (w) =>
      `Every operator of ${w.account} gets this mail, and it is enough that one of you acts. It comes once a day until the access is renewed or ends.`,
  },
  usageWarning: {
    lead: (w) =>
      `The usage of this certificate has just reached its warning level: ${w.used} of the ${w.allowance} signatures that ${w.authority} permitted are used (${w.percent} %). The access ends when all are used, or on ${w.endsAt}, whichever comes first.`,
  },
  usageBadge: (w) => `${w.percent} % used`,
  lapsed: {
    badge: 'Signing stopped',
    subject: {
      grant_expired: (w) => `Signing stopped: access to '${w.alias}' ended ${w.happenedAtShort}`,
      allowance_exhausted: (w) =>
        `Signing stopped: all signatures for '${w.alias}' used ${w.happenedAtShort}`,
      revoked: (w) => `Signing stopped: emergency stop of '${w.alias}' ${w.happenedAtShort}`,
      ended_by_ca: (w) =>
        `Signing stopped: the CA ended the access to '${w.alias}' ${w.happenedAtShort}`,
      certificate_ended: (w) =>
        `Signing stopped: certificate '${w.alias}' ended ${w.happenedAtShort}`,
    },
    headline: (w) => `Nothing can be signed with '${w.alias}'`,
    lead: {
      grant_expired: (w) =>
        `The permission of ${w.authority} to sign with this certificate reached its time limit on ${w.happenedAt}.`,
      allowance_exhausted: (w) =>
        `All ${w.allowance} signatures that ${w.authority} permitted with this certificate were used on ${w.happenedAt}.`,
      revoked: (w) =>
        `${w.revokedBy} pressed the emergency stop for this certificate on ${w.happenedAt}.`,
      ended_by_ca: (w) =>
        `${w.authority} ended the permission to sign with this certificate before its time, on ${w.happenedAt}.`,
      certificate_ended: (w) => `This certificate reached its own end on ${w.happenedAt}.`,
    },
    reasons: {
      grant_expired: () => 'The time limit was reached',
      allowance_exhausted: () => 'The usage limit was reached',
      revoked: () => 'Emergency stop',
      ended_by_ca: () => 'Ended by the certificate authority',
      certificate_ended: () => 'The certificate itself ended',
    },
    before: {
      grant_expired: () => 'Renew the access, then activate the client services.',
      allowance_exhausted: () => 'Renew the access, then activate the client services.',
      revoked: (w) =>
        `Talk to ${w.revokedBy} first: there was a reason to stop. When it is settled, renew the access, then activate the client services.`,
      ended_by_ca: (w) =>
        `If you did not expect this, ask ${w.authority} why. Then renew the access and activate the client services.`,
    },
    activate:
      'Then activate each client service by hand on the same page. A renewal by itself activates nothing.',
    noneSuspended: 'No client service of this certificate was active.',
    closing: (w) =>
      `Every operator of ${w.account} gets this mail, and it is enough that one of you acts.`,
  },
  caRefusal: {
    badge: 'Needs a look',
    subject: (w) =>
      `The CA refuses signatures with '${w.alias}', reported ${w.happenedAtShort} (access ends ${w.endsAtShort}, ${w.timeLeft})`,
    headline: (w) => `${w.authority} refuses signatures with '${w.alias}'`,
    lead: (w) =>
      `On ${w.happenedAt} a signing service reported that ${w.authority} refuses the access to this certificate, although by our records it is in force until ${w.endsAt}.`,
    nothingSuspended: () =>
      'Nothing was suspended: the client services stay active, but their signatures may fail.',
    steps: (w) => [
      `Check in the client account at ${w.authority} that the access is still confirmed.`,
      'Open the link below, press Renew on the second card, and authenticate at the CA: this obtains a new access.',
      `If signatures are still refused after that, contact ${w.authority}.`,
    ],
    closing: (w) =>
      `Every operator of ${w.account} gets this mail, and it is enough that one of you acts.`,
  },
  membership: {
    roles: {
      viewer: 'Viewer: sees everything, changes nothing',
      operator: 'Operator: also renews access and activates services',
      admin: 'Administrator: also manages settings, operators and API keys',
    },
    invitation: {
      badge: 'Invitation',
      subject: (w) => `${w.invitedBy} invites you to ${w.account}`,
      headline: (w) => `You are invited to ${w.account}`,
      lead: (w) =>
        `${w.invitedBy} has made you an operator of ${w.account} in Certificate Access, which keeps the permission to sign with this account's certificates in force. To sign in you need a password: choose it by ${w.endsAt}.`,
      steps: (w) => [
        `Open the link below. It works once, and until ${w.endsAt}.`,
        'Choose your password. You are signed in with that.',
        'From then on sign in with this e-mail address and your password.',
      ],
      notExpected: (w) =>
        `Do nothing: without the link nobody can sign in as you, and it ends by itself on ${w.endsAt}. If you do not know ${w.invitedBy}, answer this mail.`,
      keepSecret: 'Do not pass this mail on: whoever has the link can choose the password.',
      action: 'Choose your password',
    },
    added: {
      badge: 'Further account',
      subject: (w) => `${w.invitedBy} has made you an operator of ${w.account}`,
      headline: (w) => `You are now an operator of ${w.account}`,
      lead: (w) =>
        `${w.invitedBy} has made you an operator of ${w.account} in Certificate Access. Sign in as before, with the same e-mail address and the same password.`,
      notExpected: (w) =>
        `Nothing has changed in your other accounts, nor your password. If you do not know ${w.invitedBy}, answer this mail.`,
      action: 'Sign in',
    },
    getsMails: (w) =>
      `As long as you are an operator of ${w.account} you get the mails about its certificates.`,
  },
  password: {
    badge: 'Password',
    reset: {
      subject: 'Choose a new password for Certificate Access',
      headline: 'Choose a new password',
      lead: (w) =>
        `On ${w.happenedAt} somebody asked for a new password for the sign-in with this e-mail address. If that was you, choose it by ${w.endsAt}. Until you do, your password is as it was.`,
      steps: (w) => [
        `Open the link below. It works once, and until ${w.endsAt}.`,
        'Choose your new password. With that all your sessions end, wherever you are signed in.',
        'Sign in with this e-mail address and the new password.',
      ],
      notExpected: () =>
        'Do nothing: your password stays as it is, and without the link nobody can change it. If such mails keep coming, answer this one.',
      keepSecret: 'Do not pass this mail on: whoever has the link can choose the password.',
      action: 'Choose a new password',
    },
    changed: {
      subject: 'Your password for Certificate Access was changed',
      headline: 'Your password was changed',
      lead: (w) =>
        `On ${w.happenedAt} the password for the sign-in with this e-mail address was changed. All sessions that were begun with the one before have ended.`,
      by: {
        mail: 'With the link of a mail to this address',
        present_password: 'By who was signed in and knew the password before',
      },
      notExpected:
        'Then somebody else may have your password or read your mails. Open the link below and ask for a new password at once: that ends the sessions of whoever it was. Then tell an administrator of your account, and whoever looks after your mailbox.',
      expected: 'If it was you, there is nothing to do.',
      action: 'It was not me: ask for a new password',
    },
    footer: (w) =>
      `Sent by Certificate Access. You get it because this address is used to sign in, and times are in the zone ${w.timeZone}.`,
  },
  footer: (w) =>
    `Sent by Certificate Access. You get it as an operator of ${w.account}, and times are in this account's zone, ${w.timeZone}.`,
};
