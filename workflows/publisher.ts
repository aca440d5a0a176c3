import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { grantStandingName, type GrantFacts, type GrantStandingName } from '../domain/facts.ts';
import { usagePercent } from '../domain/grant.ts';
import type { Step } from '../domain/next-step.ts';
import type { Policy } from '../domain/policy.ts';
import { searchAttributeTypes as types } from '../domain/search-attributes.ts';
import { actionSummary, waitSummary } from './descriptions.ts';

const keys = {
  accountId: defineSearchAttributeKey('AccountId', types.AccountId),
  certificateId: defineSearchAttributeKey('CertificateId', types.CertificateId),
  standing: defineSearchAttributeKey('GrantStanding', types.GrantStanding),
  expiresAt: defineSearchAttributeKey('ExpiresAt', types.ExpiresAt),
  nextStepAt: defineSearchAttributeKey('NextStepAt', types.NextStepAt),
  usagePercent: defineSearchAttributeKey('UsagePercent', types.UsagePercent),
};

type Looked = {
  readonly facts: GrantFacts;
  readonly step: Step;
  readonly now: Date;
  /** The step was tried and did not take effect. */
  readonly delayed: boolean;
};

/** Shows ops what the grant is and what it waits for: attributes to filter by (an event each, so only what changed) and the panel of details. */
export function createPublisher(policy: Policy): (looked: Looked) => void {
  const published = new Map<string, string>();
  for (const { key, value } of workflowInfo().typedSearchAttributes.getAll()) {
    published.set(key.name, textOf(value));
  }
  let waiting = { what: '', since: new Date(0) };

  return (looked) => {
    const changed = attributesOf(looked, policy).filter(
      ({ key, value }) => published.get(key.name) !== (value === null ? undefined : textOf(value)),
    );
    if (changed.length > 0) upsertSearchAttributes(changed);
    for (const { key, value } of changed) {
      if (value === null) published.delete(key.name);
      else published.set(key.name, textOf(value));
    }
    const what = whatFor(looked);
    if (waiting.what !== what) waiting = { what, since: looked.now };
    setCurrentDetails(detailsOf(looked, policy, waiting));
  };
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

function attributesOf({ facts, step, now }: Looked, policy: Policy): SearchAttributeUpdatePair[] {
  const { grant } = facts;
  const pairs: SearchAttributeUpdatePair[] = [
    { key: keys.accountId, value: facts.accountId },
    { key: keys.certificateId, value: facts.certificateId },
    { key: keys.standing, value: grantStandingName(facts, now, policy) },
  ];
  if (grant !== undefined) {
    pairs.push(
      { key: keys.expiresAt, value: new Date(grant.expiresAt) },
      { key: keys.usagePercent, value: usagePercent(grant.used, grant.allowance) },
    );
  }
  // While it acts the instant is now, and what comes after is not known yet.
  if (step.kind === 'wait') pairs.push({ key: keys.nextStepAt, value: step.until ?? null });
  if (step.kind === 'end') pairs.push({ key: keys.nextStepAt, value: null });
  return pairs;
}

function whatFor({ facts, step, now, delayed }: Looked): string {
  switch (step.kind) {
    case 'end':
      return `nothing: it ended as \`${step.outcome}\``;
    case 'act':
      return `${actionSummary(facts, step.action, now)}, under way`;
    case 'wait': {
      const what = waitSummary(facts, step, delayed);
      return step.until === undefined ? what : `${what}, at ${step.until.toISOString()}`;
    }
  }
}

const standingWords: Record<GrantStandingName, string> = {
  requested: 'A renewal that is under way; there is no grant yet.',
  in_force: 'A grant in force.',
  warned: 'A grant in force that is near a limit; the operators are reminded daily.',
  lapsed:
    'A grant that reached a limit or was ended; the client services of the certificate are suspended.',
  ended: 'A grant or a renewal that is over.',
};

function detailsOf(
  { facts, now }: Looked,
  policy: Policy,
  waiting: { readonly what: string; readonly since: Date },
): string {
  const { grant, renewal } = facts;
  const lines = [
    `**${standingWords[grantStandingName(facts, now, policy)]}**`,
    '',
    `- Certificate: \`${facts.certificateId}\``,
    `- Account: \`${facts.accountId}\``,
    `- Renewal: \`${renewal.state}\`, to be finished by ${renewal.deadlineAt}`,
  ];
  if (renewal.codeWindowEndsAt !== undefined) {
    lines.push(`- Code window: open until ${renewal.codeWindowEndsAt}`);
  }
  if (grant !== undefined) {
    lines.push(
      `- In force from ${grant.effectiveAt} to ${grant.endedAt ?? grant.expiresAt}${grant.endReason === undefined ? '' : ` (\`${grant.endReason}\`)`}`,
      `- Signatures when last looked at: ${grant.used} of ${grant.allowance} (${usagePercent(grant.used, grant.allowance)} %)`,
    );
  }
  lines.push('', `Waits for **${waiting.what}**, since ${waiting.since.toISOString()}.`);
  return lines.join('\n');
}
