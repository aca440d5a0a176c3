import { useQuery } from '@tanstack/react-query';
import { CircleDashed, UserRoundX, Users } from 'lucide-react';
import { useState } from 'react';
import type { Recipient, RecipientsView } from '../../api/contract.ts';
import { recipientsQuery } from '../../api/queries.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { MailStatus } from '../../app/mail-status.tsx';
import { useNow } from '../../app/now.tsx';
import { useMay, useSession } from '../../app/session.tsx';
import { Button, ButtonLink } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Empty } from '../../design/empty.tsx';
import { Facts } from '../../design/facts.tsx';
import { Notice } from '../../design/notice.tsx';
import { Status } from '../../design/status.tsx';
import { useFormats } from '../../language/language.tsx';
import { mailTexts } from '../../language/mail-texts.ts';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { partPath } from '../account/paths.ts';
import { MailDialog } from './mail-dialog.tsx';
import { recipientsTexts } from './recipients-texts.ts';
import styles from './recipients.module.css';

/** Who is told about a certificate, what each was told last, and when the next reminder is due. */
export function Recipients({
  certificateId,
  timeZone,
  accountId,
}: {
  readonly certificateId: string;
  readonly timeZone: string;
  readonly accountId?: string;
}) {
  const t = useTexts(recipientsTexts);
  const query = useQuery(recipientsQuery(certificateId));
  const [mailId, setMailId] = useState<string>();
  const manage = useManage(accountId);
  return (
    <Card
      title={t.title}
      aside={
        manage !== undefined && (
          <ButtonLink href={manage} icon={<Users size={17} aria-hidden="true" />}>
            {t.manage}
          </ButtonLink>
        )
      }
    >
      <Loaded query={query}>
        {(view) =>
          view.items.length === 0 ? (
            <Empty icon={<UserRoundX size={32} aria-hidden="true" />} title={t.empty}>
              <p>{t.emptyWhy}</p>
            </Empty>
          ) : (
            <>
              {isNobodyReachable(view) && (
                <Notice tone="bad" title={t.nobody}>
                  <p>{manage === undefined ? t.nobodyAsk : t.nobodyMend}</p>
                </Notice>
              )}
              <Plan plan={view} />
              <ul className={styles.list}>
                {view.items.map((recipient) => (
                  <Row
                    key={recipient.id}
                    recipient={recipient}
                    timeZone={timeZone}
                    onMail={setMailId}
                  />
                ))}
              </ul>
              <p className={styles.soft}>{t.unreachable}</p>
            </>
          )
        }
      </Loaded>
      {mailId !== undefined && (
        <MailDialog
          certificateId={certificateId}
          mailId={mailId}
          timeZone={timeZone}
          onClose={() => setMailId(undefined)}
        />
      )}
    </Card>
  );
}

/** Where operators are managed, for those who may. */
function useManage(accountId: string | undefined): string | undefined {
  const may = useMay(accountId ?? '');
  return accountId !== undefined && may('settings') ? partPath(accountId, 'operators') : undefined;
}

/** A mail that is on its way, or was never needed, may still arrive. */
const isNobodyReachable = ({ items }: RecipientsView): boolean =>
  items.every(({ lastDelivery }) => lastDelivery?.state === 'refused');

function Plan({
  plan: { nextReminderAt, reminderHour, timeZone },
}: {
  readonly plan: RecipientsView;
}) {
  const t = useTexts(recipientsTexts);
  const formats = useFormats();
  const now = useNow();
  const { warningSeconds, usageWarningPercent } = useSession().policy;
  const hour = `${String(reminderHour).padStart(2, '0')}:00 (${formats.zone(timeZone)})`;
  const isDue = nextReminderAt !== null && Date.parse(nextReminderAt) <= now;
  return (
    <Facts
      items={[
        [
          t.next,
          nextReminderAt === null ? (
            t.none
          ) : isDue ? (
            t.now
          ) : (
            <Instant at={nextReminderAt} timeZone={timeZone} />
          ),
        ],
        [t.when, t.daily(hour, formats.days(warningSeconds), usageWarningPercent)],
      ]}
    />
  );
}

function Row({
  recipient: { id, name, email, role, lastDelivery },
  timeZone,
  onMail,
}: {
  readonly recipient: Recipient;
  readonly timeZone: string;
  readonly onMail: (mailId: string) => void;
}) {
  const t = useTexts(recipientsTexts);
  const w = useTexts(words);
  const mails = useTexts(mailTexts);
  const { operator } = useSession();
  return (
    <li className={styles.row}>
      <div className={styles.person}>
        <span className={styles.name}>{id === operator.id ? t.you(name) : name}</span>
        <span className={styles.soft}>{email}</span>
      </div>
      <span className={styles.role}>{w.role[role]}</span>
      {lastDelivery === null ? (
        <div className={styles.delivery}>
          <Status tone="still" icon={<CircleDashed size={15} aria-hidden="true" />}>
            {t.nothingYet}
          </Status>
        </div>
      ) : (
        <div className={styles.delivery}>
          <MailStatus state={lastDelivery.state} />
          <span className={styles.soft}>
            {isKind(lastDelivery.kind, mails.kind) && <>{mails.kind[lastDelivery.kind]} · </>}
            <Instant at={lastDelivery.at} timeZone={timeZone} />
          </span>
        </div>
      )}
      {lastDelivery !== null && (
        <div className={styles.open}>
          <Button
            look="quiet"
            aria-label={mails.openOf(name)}
            onClick={() => onMail(lastDelivery.mailId)}
          >
            {mails.open}
          </Button>
        </div>
      )}
    </li>
  );
}

const isKind = <K extends string>(kind: string, known: Readonly<Record<K, string>>): kind is K =>
  Object.hasOwn(known, kind);
