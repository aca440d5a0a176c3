import { useInfiniteQuery } from '@tanstack/react-query';
import { Braces, FileSpreadsheet, History } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { TimelineEntry, TimelineType } from '../../api/contract.ts';
import { timelinePath, timelineQuery, type TimelineFilter } from '../../api/queries.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { useNow } from '../../app/now.tsx';
import { Button, DownloadLink } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { classNames } from '../../design/class-names.ts';
import { Empty } from '../../design/empty.tsx';
import { SelectField } from '../../design/field.tsx';
import { useFormats } from '../../language/language.tsx';
import { useTexts } from '../../language/texts.ts';
import { MailDialog } from './mail-dialog.tsx';
import { Entry } from './timeline-entry.tsx';
import { timelineTexts } from './timeline-texts.ts';
import { useSaveTimeline } from './whole-timeline.ts';
import styles from './timeline.module.css';

const hourMs = 3_600_000;

/** What happened to a certificate, newest first, by the days of the account's zone. */
export default function Timeline({
  certificateId,
  timeZone,
}: {
  readonly certificateId: string;
  readonly timeZone: string;
}) {
  const t = useTexts(timelineTexts);
  const formats = useFormats();
  const [type, setType] = useState<TimelineFilter>();
  const [mailId, setMailId] = useState<string>();
  const query = useInfiniteQuery(timelineQuery(certificateId, type));
  const types = Object.keys(t.type) as TimelineType[];
  return (
    <Card
      title={t.title}
      aside={
        <span className={styles.zone} title={timeZone}>
          {t.times(formats.zone(timeZone))}
        </span>
      }
    >
      <div className={styles.tools}>
        <div className={styles.filter}>
          <SelectField
            label={t.filter}
            value={type ?? ''}
            options={[['', t.everything], ...types.map((one) => [one, t.type[one]] as const)]}
            onChange={({ target }) => setType(types.find((one) => one === target.value))}
          />
        </div>
        <Files certificateId={certificateId} type={type} />
      </div>
      <Loaded query={query} lines={8}>
        {({ pages }) => (
          <Entries
            entries={pages.flatMap(({ items }) => items)}
            timeZone={timeZone}
            isOld={query.isPlaceholderData}
            isWhole={!query.hasNextPage}
            onMail={setMailId}
            onShowEverything={type && (() => setType(undefined))}
            more={
              query.hasNextPage && (
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t.older}
                </Button>
              )
            }
          />
        )}
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

/** The whole of what is filtered, not only what is shown. */
function Files({
  certificateId,
  type,
}: {
  readonly certificateId: string;
  readonly type: TimelineFilter;
}) {
  const t = useTexts(timelineTexts);
  const formats = useFormats();
  const { save, count } = useSaveTimeline(certificateId, type);
  const chosen = type === undefined ? t.everything : t.type[type];
  return (
    <>
      <div className={styles.files}>
        <DownloadLink
          href={timelinePath(certificateId, { type, format: 'csv' })}
          label={t.fileAs(t.csv, chosen)}
          icon={<FileSpreadsheet size={17} aria-hidden="true" />}
        >
          {t.csv}
        </DownloadLink>
        <Button
          busy={save.isPending}
          aria-label={save.isPending ? undefined : t.fileAs(t.json, chosen)}
          icon={<Braces size={17} aria-hidden="true" />}
          onClick={() => save.mutate()}
        >
          {save.isPending && count > 0 ? t.collecting(formats.number(count)) : t.json}
        </Button>
      </div>
      {save.error !== null && (
        <div className={styles.fault}>
          <FaultNotice error={save.error} onRetry={() => save.mutate()} />
        </div>
      )}
    </>
  );
}

function Entries({
  entries,
  timeZone,
  isOld,
  isWhole,
  onMail,
  onShowEverything,
  more,
}: {
  readonly entries: readonly TimelineEntry[];
  readonly timeZone: string;
  /** Of the filter before, until what is asked for has come. */
  readonly isOld: boolean;
  readonly isWhole: boolean;
  readonly onMail: (mailId: string) => void;
  readonly onShowEverything: (() => void) | undefined;
  readonly more: ReactNode;
}) {
  const t = useTexts(timelineTexts);
  const formats = useFormats();
  const now = useNow();
  if (entries.length === 0) {
    return (
      <Empty
        icon={<History size={32} aria-hidden="true" />}
        title={onShowEverything ? t.emptyOfType : t.empty}
        action={onShowEverything && <Button onClick={onShowEverything}>{t.showEverything}</Button>}
      >
        {!onShowEverything && <p>{t.emptyWhy}</p>}
      </Empty>
    );
  }
  const count = formats.number(entries.length);
  return (
    <div className={classNames(styles.entries, isOld && styles.old)} aria-busy={isOld}>
      <ol className={styles.days}>
        {byDay(entries, (at) => formats.day(at, timeZone)).map(([day, ofDay]) => (
          <li key={day} className={styles.day}>
            <h3 className={styles.heading}>{dayName(day, now)}</h3>
            <ol>
              {ofDay.map((entry) => (
                <Entry key={entry.id} entry={entry} timeZone={timeZone} onMail={onMail} />
              ))}
            </ol>
          </li>
        ))}
      </ol>
      <div className={styles.more}>
        {more}
        <p role="status" className={styles.count}>
          {isWhole ? t.all(count) : t.shown(count)}
        </p>
      </div>
    </div>
  );

  function dayName(day: string, nowMs: number): string {
    if (day === formats.day(new Date(nowMs).toISOString(), timeZone)) return t.today(day);
    // Noon of the day before, whatever the hour is now, and also where the clocks were changed.
    const hour = Number.parseInt(formats.time(new Date(nowMs).toISOString(), timeZone), 10);
    const before = new Date(nowMs - (hour + 12) * hourMs).toISOString();
    return day === formats.day(before, timeZone) ? t.yesterday(day) : day;
  }
}

/** The entries of each local day, in the order they are in. */
function byDay(
  entries: readonly TimelineEntry[],
  dayOf: (instant: string) => string,
): readonly (readonly [day: string, entries: readonly TimelineEntry[]])[] {
  const days = new Map<string, TimelineEntry[]>();
  for (const entry of entries) {
    const day = dayOf(entry.at);
    const before = days.get(day);
    if (before === undefined) days.set(day, [entry]);
    else before.push(entry);
  }
  return [...days];
}
