import type { ReactNode } from 'react';
import type { CertificateView } from '../api/contract.ts';
import { Meter } from '../design/meter.tsx';
import type { Tone } from '../design/status.tsx';
import { useFormats } from '../language/language.tsx';
import { defineTexts, useTexts } from '../language/texts.ts';
import styles from './access-meters.module.css';
import { useNow } from './now.tsx';
import { useSession } from './session.tsx';

const texts = defineTexts({
  en: {
    time: 'Time',
    usage: 'Signatures',
    left: (span: string) => `${span} left`,
    leftOne: (span: string) => `${span} left`,
    leftLess: 'Less than a minute left',
    over: 'Time is over',
    ended: 'Ended early',
    used: (used: string, allowance: string) => `${used} of ${allowance}`,
    timeValue: (left: string, percent: string) => `${left}, ${percent} of the time used`,
    usageValue: (told: string, percent: string) => `${told} signatures, ${percent}`,
    none: 'No access yet',
  },
  'pt-PT': {
    time: 'Tempo',
    usage: 'Assinaturas',
    left: (span: string) => `Faltam ${span}`,
    leftOne: (span: string) => `Falta ${span}`,
    leftLess: 'Falta menos de um minuto',
    over: 'O tempo acabou',
    ended: 'Terminou antes',
    used: (used: string, allowance: string) => `${used} de ${allowance}`,
    timeValue: (left: string, percent: string) => `${left}, ${percent} do tempo usado`,
    usageValue: (told: string, percent: string) => `${told} assinaturas, ${percent}`,
    none: 'Ainda sem acesso',
  },
});

type Access = Pick<
  CertificateView['access'],
  'standing' | 'reason' | 'warnings' | 'effectiveAt' | 'expiresAt' | 'allowance' | 'used'
>;

/** How much of the time has gone by. */
export function TimeMeter({
  access,
  small = false,
  timeZone,
}: {
  readonly access: Access;
  readonly small?: boolean;
  /** Where the expiry is not told beside it: its date is, in this zone. */
  readonly timeZone?: string | undefined;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const now = useNow();
  const { warningSeconds } = useSession().policy;
  const { effectiveAt, expiresAt, standing, reason, warnings } = access;
  if (effectiveAt === null || expiresAt === null)
    return <Figure label={t.time} small={small} text={t.none} />;
  const [from, until] = [Date.parse(effectiveAt), Date.parse(expiresAt)];
  const isOver = now >= until;
  const told = (ms: number): string => {
    const count = formats.spanCount(ms);
    return count === 0 ? t.leftLess : (count === 1 ? t.leftOne : t.left)(formats.span(ms));
  };
  const endedEarly = standing === 'lapsed' && !isOver && reason !== 'allowance_exhausted';
  const left = isOver ? t.over : endedEarly ? t.ended : told(until - now);
  const passed = Math.max(0, Math.min(until, now) - from);
  const mark = 1 - (warningSeconds * 1000) / (until - from);
  return (
    <Figure
      label={t.time}
      small={small}
      text={left}
      extra={
        timeZone === undefined ? (
          formats.percent(passed, until - from)
        ) : (
          <time dateTime={expiresAt} title={formats.instant(expiresAt, timeZone)}>
            {formats.shortDay(expiresAt, timeZone)}
          </time>
        )
      }
    >
      <Meter
        label={t.time}
        value={passed / (until - from)}
        valueText={t.timeValue(left, formats.percent(passed, until - from))}
        tone={toneOf(access, isOver || endedEarly, warnings.includes('time'))}
        {...(mark > 0 && { mark })}
        small={small}
      />
    </Figure>
  );
}

/** How many of the signatures are used. */
export function UsageMeter({
  access,
  small = false,
}: {
  readonly access: Access;
  readonly small?: boolean;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const { usageWarningPercent } = useSession().policy;
  const { allowance, used, warnings } = access;
  if (allowance === null || used === null)
    return <Figure label={t.usage} small={small} text={t.none} />;
  const told = t.used(formats.number(used), formats.number(allowance));
  const percent = formats.percent(used, allowance);
  return (
    <Figure label={t.usage} small={small} text={told} extra={percent}>
      <Meter
        label={t.usage}
        value={used / allowance}
        valueText={t.usageValue(told, percent)}
        tone={toneOf(access, used >= allowance, warnings.includes('usage'))}
        mark={usageWarningPercent / 100}
        small={small}
      />
    </Figure>
  );
}

function toneOf({ standing }: Access, isReached: boolean, isWarned: boolean): Tone {
  if (isReached) return 'bad';
  if (isWarned) return 'warn';
  return standing === 'lapsed' ? 'still' : 'good';
}

function Figure({
  label,
  text,
  extra,
  small,
  children,
}: {
  readonly label: string;
  readonly text: string;
  readonly extra?: ReactNode;
  readonly small: boolean;
  readonly children?: ReactNode;
}) {
  return (
    <div className={small ? styles.small : styles.figure}>
      <div className={styles.label}>{label}</div>
      <div className={styles.told}>
        <span className={styles.text}>{text}</span>
        {extra !== undefined && <span className={styles.extra}>{extra}</span>}
      </div>
      {children}
    </div>
  );
}
