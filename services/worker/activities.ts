import { createGrantActivities, type GrantActivities } from '../../activities/grant-activities.ts';
import type { CaRevoker, Log } from '../../activities/ports.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Mailer } from '../../infra/mail/mailer.ts';
import { renderMail } from '../../infra/mail/render.ts';
import { createRevocations } from '../../infra/postgres/ca-revocations.ts';
import { createConsequences } from '../../infra/postgres/consequences.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { createNotices, type NoticeContent } from '../../infra/postgres/reminders.ts';
import type { Sealer } from '../../infra/postgres/sealing.ts';

export type ActivityParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly sealer: Sealer;
  readonly mailer: Pick<Mailer, 'send'>;
  readonly ca: CaRevoker;
  readonly log: Log;
  /** Where browsers reach the backoffice. */
  readonly publicUrl: string;
  /** Right-hand side of message ids. */
  readonly messageIdDomain: string;
  /** How long nobody else sends a mail that was begun. */
  readonly mailClaimMs?: number;
};

/** The activities on the real parts. */
export function wireActivities(parts: ActivityParts): GrantActivities {
  const { mailer, ca, log, publicUrl } = parts;
  return createGrantActivities<NoticeContent>({
    grants: createConsequences(parts),
    notices: createNotices({ ...parts, claimMs: parts.mailClaimMs }),
    writeMail: (content) => {
      const path = `certificates/${encodeURIComponent(content.certificate.id)}`;
      return renderMail({ ...content, link: `${publicUrl.replace(/\/+$/, '')}/${path}` });
    },
    mailer,
    revocations: createRevocations(parts),
    ca,
    log,
  });
}
