import type { Claim, GrantPorts, Notice, NoticeKind, SendResult } from './ports.ts';

/** One operator's slow mail server does not keep the others waiting. */
const atOnce = 4;
/** No new mail is begun after this time; what is left is told at the next try. Below the activity's own time limit by more than one mail takes. */
const beginningMs = 60_000;

/**
 * Tells every current operator of the account who was not told yet: claim, send, record, one operator after the other in a few lanes. What one of them
 * cannot be told does not concern the others. The send comes before the record: a lost warning is worse than a repeated one, and the message id
 * is the same at every try, so that a repeat folds.
 */
export async function tellOperators<Content>(
  ports: GrantPorts<Content>,
  grantId: string,
  kind: NoticeKind,
): Promise<void> {
  const { notices, log } = ports;
  const notice = await notices.findDue(grantId, kind);
  if (notice === undefined) return;
  if (notice.operatorCount === 0) {
    log.error({ grantId, kind, slot: notice.slot }, 'the account has no operator to be told');
  }
  const startedAt = performance.now();
  const waiting = [...notice.operatorIds];
  const lane = async (): Promise<void> => {
    for (;;) {
      const operatorId = waiting.shift();
      if (operatorId === undefined || performance.now() - startedAt > beginningMs) return;
      await tellOperator(ports, notice, operatorId);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await notices.settle(notice);
}

async function tellOperator<Content>(
  ports: GrantPorts<Content>,
  notice: Notice,
  operatorId: string,
): Promise<void> {
  const { notices, log } = ports;
  const claim = await notices.claim(notice, operatorId);
  if (claim === undefined) return;
  const result = await send(ports, notice, claim);
  await notices.recordResult(notice, claim, result);
  if (result.result !== 'accepted') {
    const { grantId, kind, slot } = notice;
    log.warn({ grantId, kind, slot, operatorId, ...result }, 'operator was not told');
  }
}

async function send<Content>(
  { notices, writeMail, mailer }: GrantPorts<Content>,
  notice: Notice,
  claim: Claim<Content>,
): Promise<SendResult> {
  try {
    const { subject, text, html } = await writeMail(claim.content);
    await notices.recordText(notice, claim, { subject, text, html });
    const { messageId, threadId, to } = claim;
    return await mailer.send({ subject, text, html, messageId, threadId, to });
  } catch (error) {
    return { result: 'failed', reason: error instanceof Error ? error.message : 'unknown' };
  }
}
