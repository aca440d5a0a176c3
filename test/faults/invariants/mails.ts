import { isAboveWarning } from '../../../domain/grant.ts';
import type { Evidence, GrantEvidence } from '../evidence.ts';

const key = (...parts: readonly string[]): string => parts.join(' ');

/** Every operator is told of every lapse, warning and reminder that is still true when all is quiet. */
export function everyOperatorTold(evidence: Evidence): string[] {
  const { grants, notices, mails, operators } = evidence;
  const arrived = new Set(mails.map(({ messageId, to }) => key(messageId, to)));
  const tellingMails = new Map<string, string[]>();
  for (const { operatorId, grantId, kind, messageId } of notices) {
    const about = key(operatorId, grantId, kind);
    tellingMails.set(about, [...(tellingMails.get(about) ?? []), messageId ?? '']);
  }
  return grants
    .filter(({ successorId }) => successorId === undefined)
    .flatMap((grant) =>
      owedKinds(grant, evidence).flatMap((kind) =>
        operators
          .filter(({ accountId }) => accountId === grant.accountId)
          .filter(({ operatorId, email }) => {
            const messages = tellingMails.get(key(operatorId, grant.grantId, kind)) ?? [];
            return !messages.some((messageId) => arrived.has(key(messageId, email)));
          })
          .map(({ email }) => `${email} was not told (${kind}) of ${grant.grantId}`),
      ),
    );
}

function owedKinds(grant: GrantEvidence, { lookedAt, policy }: Evidence): string[] {
  const { expiresAt, used, allowance } = grant;
  if (expiresAt <= lookedAt || used >= allowance) return ['lapsed'];
  // Every grant of a storm is shorter than the week before its end.
  return isAboveWarning(used, allowance, policy) ? ['reminder', 'usage_warning'] : ['reminder'];
}

/** Nobody is told the same twice but by the same message; and nothing that was not meant for them. */
export function nobodyToldTwice({ mails, notices, operators }: Evidence): string[] {
  const emailOf = new Map(operators.map(({ operatorId, email }) => [operatorId, email]));
  const meant = new Set(
    notices.map(({ messageId, operatorId }) => key(messageId ?? '', emailOf.get(operatorId) ?? '')),
  );
  const strange = mails.flatMap(({ messageId, to, subject }) =>
    meant.has(key(messageId, to)) ? [] : [`${to} got "${subject}" (${messageId}), which nobody owed`],
  );
  const messageOf = new Map<string, string>();
  const twice = notices.flatMap(({ operatorId, grantId, kind, slot, messageId }) => {
    if (messageId === undefined) return [];
    const about = key(operatorId, grantId, kind, slot);
    const before = messageOf.get(about);
    messageOf.set(about, messageId);
    return before === undefined || before === messageId
      ? []
      : [`${operatorId} was told ${kind} of ${grantId} by ${before} and ${messageId}`];
  });
  return [...strange, ...twice];
}
