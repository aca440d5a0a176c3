import { useQueryClient } from '@tanstack/react-query';
import { Timer } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { FactorName } from '../../../../../../domain/renewal.ts';
import { call, isProblem, Unanswered } from '../../../api/client.ts';
import type { CertificateView, RenewalView } from '../../../api/contract.ts';
import { keys } from '../../../api/queries.ts';
import { syncServerClock } from '../../../api/server-clock.ts';
import { FaultNotice } from '../../../app/fault.tsx';
import { useNow } from '../../../app/now.tsx';
import { Button } from '../../../design/button.tsx';
import { Dialog, DialogActions } from '../../../design/dialog.tsx';
import { TextField } from '../../../design/field.tsx';
import { Notice } from '../../../design/notice.tsx';
import { clockText } from '../../../language/formats.ts';
import { renewalTexts } from '../../../language/renewal-texts.ts';
import { useTexts } from '../../../language/texts.ts';
import { markPassed, secondsUntil } from './countdown.ts';
import { useAbandon } from './open-renewal.tsx';
import { renewalWords } from './renewal-words.ts';
import styles from './renewal.module.css';

type Typed = Readonly<Record<FactorName, string>>;
/** Often enough that no second is left out. */
const tickMs = 250;

const nothingTyped: Typed = { pin: '', otp: '' };

/**
 * PIN and/or OTP, within the two minutes. What was typed lives in this component until it is sent and no longer: no query, no mutation and no storage ever holds it.
 */
export function CodeDialog({
  renewal,
  certificate,
  onLater,
}: {
  readonly renewal: RenewalView;
  readonly certificate: CertificateView;
  /** Closes the dialog; the renewal waits. */
  readonly onLater: () => void;
}) {
  const t = useTexts(renewalWords);
  const notices = useTexts(renewalTexts).notice;
  const client = useQueryClient();
  const now = useNow(tickMs);
  const [typed, setTyped] = useState(nothingTyped);
  const [doing, setDoing] = useState<'authorize' | 'code'>();
  const [error, setError] = useState<unknown>(null);
  const [told, setTold] = useState('');
  const { abandon, busy: isAbandoning, error: abandonError } = useAbandon(renewal);
  const form = useRef<HTMLFormElement>(null);

  const { factors, triesLeft, codeWindowEndsAt, resendAllowedAt, notice } = renewal;
  const path = `/api/renewals/${encodeURIComponent(renewal.id)}`;
  const left = secondsUntil(codeWindowEndsAt, now);
  const wait = secondsUntil(resendAllowedAt, now);
  // Here, or in another tab.
  const isAsking = doing === 'authorize' || renewal.state === 'authorizing';
  const isOpen = left > 0 || isAsking;
  const sendsCode = factors.some(({ online }) => online);
  const isRejected = isProblem(error, 'factor_rejected');
  // A code that was used up has no time left, but its time did not pass.
  const isCounting = codeWindowEndsAt !== null;

  const announced = useAnnouncement(isAsking || !isCounting ? undefined : left, t.announce);

  useEffect(() => focusFirst(form.current), []);

  const reread = async (): Promise<void> => {
    await Promise.all([
      client.invalidateQueries({ queryKey: keys.renewal(renewal.id) }),
      client.invalidateQueries({ queryKey: keys.certificate(certificate.id) }),
    ]);
  };

  const authorize = async (): Promise<void> => {
    const body = Object.fromEntries(
      factors.map(({ name }) => [name, typed[name]] as const).filter(([, value]) => value !== ''),
    );
    setDoing('authorize');
    setError(null);
    setTold('');
    // Gone from the page before it is known what becomes of it.
    setTyped(nothingTyped);
    try {
      await call('POST', `${path}/authorization`, { body });
    } catch (fault) {
      // Certainly not sent, or refused before the CA was asked by somebody who is signed in: nothing has to be typed again.
      const isUnused =
        isProblem(fault, 'code_window_closed', 'factor_missing') ||
        (fault instanceof Unanswered && fault.isOffline);
      if (isUnused) setTyped(typed);
      setError(fault);
    }
    await reread();
    setDoing(undefined);
    focusFirst(form.current);
  };

  const requestCode = async (): Promise<void> => {
    setDoing('code');
    setError(null);
    try {
      const askedAtMs = performance.now();
      const after = await call<RenewalView>('POST', `${path}/code`);
      syncServerClock(after.serverNow, askedAtMs);
      // A read from before the new window would close it again.
      await client.cancelQueries({ queryKey: keys.renewal(renewal.id) });
      client.setQueryData(keys.renewal(renewal.id), after);
      setTold(sendsCode ? t.newCodeSent : t.moreTimeGiven);
      // The old code is of no use any more; the PIN is.
      if (sendsCode) setTyped(({ pin }) => ({ pin, otp: '' }));
    } catch (fault) {
      setError(fault);
      await reread();
    }
    setDoing(undefined);
    focusFirst(form.current);
  };

  return (
    <Dialog title={t.codeTitle} onClose={isAsking ? () => undefined : onLater}>
      <p className={styles.soft}>{t.codeFor(certificate.alias, certificate.ca.name)}</p>
      <p className={styles.timer} data-over={(isCounting && !isOpen) || undefined}>
        <Timer size={18} aria-hidden="true" />
        <span>{t.left}</span>
        <span role="timer" aria-live="off" className={styles.clock}>
          {isCounting ? clockText(left) : '–:––'}
        </span>
      </p>
      <p role="status" className="visually-hidden">
        {announced}
      </p>
      <div role="status" className="live">
        {told !== '' && (
          <Notice tone="info">
            <p>{told}</p>
          </Notice>
        )}
      </div>
      {notice !== null && (
        <Notice tone="warn">
          <p>{notices[notice.code as keyof typeof notices]}</p>
        </Notice>
      )}
      <Fault error={error} renewal={renewal} />
      {!isOpen && doing === undefined && error === null && (
        <Notice tone="warn">
          <p>{sendsCode ? t.closed : t.closedNoCode}</p>
        </Notice>
      )}
      <form
        ref={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (doing !== undefined || isAsking) return;
          void (isOpen ? authorize() : requestCode());
        }}
      >
        {factors.map((factor) => (
          <FactorField
            key={factor.name}
            factor={factor}
            value={typed[factor.name]}
            isInvalid={isRejected}
            disabled={isAsking}
            onType={(value) => setTyped((before) => ({ ...before, [factor.name]: value }))}
          />
        ))}
        {!isRejected && !isAsking && <p className={styles.soft}>{t.tries(triesLeft)}</p>}
        <DialogActions>
          {isOpen ? (
            <Button type="submit" look="primary" busy={isAsking}>
              {t.authorize}
            </Button>
          ) : (
            <Button type="submit" look="primary" busy={doing === 'code'} disabled={wait > 0}>
              {sendsCode ? t.newCode : t.moreTime}
            </Button>
          )}
          {isOpen && sendsCode && (
            <Button
              busy={doing === 'code'}
              disabled={wait > 0 || isAsking}
              onClick={() => void requestCode()}
            >
              {t.newCode}
            </Button>
          )}
        </DialogActions>
        {wait > 0 && sendsCode && <p className={styles.soft}>{t.newCodeIn(wait)}</p>}
        {isAsking && (
          <p role="status">
            {t.asking} {t.askingWhat}
          </p>
        )}
      </form>
      {abandonError !== null && <FaultNotice error={abandonError} />}
      <div className={styles.leave}>
        <p className={styles.soft}>{t.laterHint}</p>
        <Button look="quiet" disabled={isAsking} onClick={onLater}>
          {t.later}
        </Button>
        <Button look="quiet" busy={isAbandoning} disabled={isAsking} onClick={() => void abandon()}>
          {t.abandon}
        </Button>
      </div>
    </Dialog>
  );
}

/** One input a factor, as the CA describes it: its words are shown as text. */
function FactorField({
  factor,
  value,
  isInvalid,
  disabled,
  onType,
}: {
  readonly factor: RenewalView['factors'][number];
  readonly value: string;
  readonly isInvalid: boolean;
  readonly disabled: boolean;
  readonly onType: (value: string) => void;
}) {
  const t = useTexts(renewalWords);
  const { name, label, description, required, online, numeric } = factor;
  const isOtp = name === 'otp';
  // The CA's own words say more than ours.
  const hint = description ?? (isOtp ? (online ? t.sent : t.offline) : undefined);
  return (
    <TextField
      label={required ? label : `${label} (${t.optional})`}
      {...(hint !== undefined && { hint })}
      name={name}
      className={styles.factor}
      type={isOtp ? 'text' : 'password'}
      inputMode={numeric ? 'numeric' : 'text'}
      autoComplete={isOtp ? 'one-time-code' : 'off'}
      autoCapitalize="off"
      spellCheck={false}
      dir="ltr"
      required={required}
      readOnly={disabled}
      aria-invalid={isInvalid || undefined}
      value={value}
      // "123 456" is pasted whole and cleaned; there is no maxlength that would cut it.
      onChange={({ target }) => onType(isOtp ? target.value.replaceAll(/\s/g, '') : target.value)}
    />
  );
}

/** What went wrong with the last try. A lost answer is told by the renewal's own state, which is read again. */
function Fault({ error, renewal }: { readonly error: unknown; readonly renewal: RenewalView }) {
  const t = useTexts(renewalWords);
  if (error === null) return null;
  if (!isProblem(error, 'factor_rejected')) return <FaultNotice error={error} />;
  const names = renewal.factors.map(({ name }) => name);
  // The CA takes a code that it sent only once.
  const isUsedUp = renewal.codeWindowEndsAt === null;
  const [only] = names;
  const what = names.length > 1 ? t.rejected : only === 'pin' ? t.rejectedPin : t.rejectedOtp;
  return (
    <Notice tone="bad" announce="alert" title={what}>
      <p>
        {t.tries(renewal.triesLeft)}. {isUsedUp && t.usedUp}
      </p>
    </Notice>
  );
}

/** Says the marks of the countdown as they are passed, once each; nothing while there is no countdown. */
function useAnnouncement(left: number | undefined, say: (seconds: number) => string): string {
  const before = useRef(left ?? 0);
  const [announced, setAnnounced] = useState('');
  useEffect(() => {
    if (left === undefined) return;
    const mark = markPassed(before.current, left);
    // A new window starts without an old word.
    if (left > before.current) setAnnounced('');
    else if (mark !== undefined) setAnnounced(say(mark));
    before.current = left;
  }, [left, say]);
  return announced;
}

/** The first field that wants something, with its text chosen. */
function focusFirst(form: HTMLFormElement | null): void {
  const inputs = [...(form?.querySelectorAll('input') ?? [])];
  const first = inputs.find(({ value }) => value === '') ?? inputs[0];
  first?.focus();
  first?.select();
}
