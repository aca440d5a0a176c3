import {
  ChevronDown,
  CircleQuestionMark,
  Gauge,
  KeyRound,
  Mail,
  OctagonX,
  CirclePause,
  PenLine,
  CirclePlay,
  RefreshCw,
  Settings2,
} from 'lucide-react';
import type { MailState, TimelineAction, TimelineEntry, TimelineType } from '../../api/contract.ts';
import { MailStatus } from '../../app/mail-status.tsx';
import { Button } from '../../design/button.tsx';
import { classNames } from '../../design/class-names.ts';
import { useFormats } from '../../language/language.tsx';
import { mailTexts } from '../../language/mail-texts.ts';
import { useTexts } from '../../language/texts.ts';
import { timelineTexts } from './timeline-texts.ts';
import { useTellEntry } from './told-entry.ts';
import styles from './timeline.module.css';

const icons: Readonly<Record<TimelineType, typeof Mail>> = {
  grant: KeyRound,
  renewal: RefreshCw,
  mail: Mail,
  suspension: CirclePause,
  activation: CirclePlay,
  signing: PenLine,
  usage: Gauge,
  refusal: OctagonX,
  configuration: Settings2,
  other: CircleQuestionMark,
};

/** What stands out; the sentence says it, the colour hastens the eye. */
const tones: Partial<Record<TimelineAction, string | undefined>> = {
  access_granted: styles.good,
  client_service_activated: styles.good,
  access_revoked: styles.bad,
  grant_ended_by_ca: styles.bad,
  client_services_suspended: styles.bad,
  activation_refused: styles.bad,
  permission_refused: styles.bad,
  ca_refusal_reported: styles.bad,
  nobody_to_tell: styles.bad,
  operator_undeliverable: styles.bad,
  usage_threshold_reached: styles.warn,
};

const toneOf = (action: string): string | undefined =>
  (tones as Readonly<Record<string, string | undefined>>)[action];

/** One thing that happened: when, what in words, and what machines know of it when it is asked for. */
export function Entry({
  entry,
  timeZone,
  onMail,
}: {
  readonly entry: TimelineEntry;
  readonly timeZone: string;
  readonly onMail: (mailId: string) => void;
}) {
  const t = useTexts(timelineTexts);
  const mails = useTexts(mailTexts);
  const formats = useFormats();
  const { sentence, more, whom } = useTellEntry(timeZone)(entry);
  const { at, type, details } = entry;
  const Icon = icons[type];
  const { mailId, state } = details;
  return (
    <li className={styles.entry}>
      <time dateTime={at} title={formats.instant(at, timeZone)} className={styles.time}>
        {formats.time(at, timeZone)}
      </time>
      <span className={classNames(styles.icon, toneOf(entry.action))} title={t.type[type]}>
        <Icon size={16} aria-hidden="true" />
      </span>
      <div className={styles.told}>
        <p>{sentence}</p>
        {more.map((line) => (
          <p key={line} className={styles.line}>
            {line}
          </p>
        ))}
      </div>
      {typeof mailId === 'string' && (
        <div className={styles.mail}>
          {isMailState(state, mails.state) && <MailStatus state={state} />}
          <Button look="quiet" small aria-label={mails.openOf(whom)} onClick={() => onMail(mailId)}>
            {mails.open}
          </Button>
        </div>
      )}
      <details className={styles.details}>
        <summary className={styles.summary} title={t.details}>
          <ChevronDown size={16} aria-hidden="true" />
          <span className="visually-hidden">{t.detailsOf(sentence)}</span>
        </summary>
        <Machine entry={entry} />
      </details>
    </li>
  );
}

const isMailState = (
  state: unknown,
  known: Readonly<Record<MailState, string>>,
): state is MailState => typeof state === 'string' && Object.hasOwn(known, state);

/** What machines know of it, as it is in the files. */
function Machine({ entry: { id, at, action, actor, details } }: { readonly entry: TimelineEntry }) {
  const all: readonly (readonly [string, unknown])[] = [
    ...Object.entries({ at, action, 'actor.kind': actor.kind, 'actor.name': actor.name }),
    ...Object.entries(details).map(([key, value]) => [`details.${key}`, value] as const),
    ['id', id],
  ];
  return (
    <dl className={styles.machine} translate="no">
      {all.map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{Array.isArray(value) ? value.join(', ') : String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
