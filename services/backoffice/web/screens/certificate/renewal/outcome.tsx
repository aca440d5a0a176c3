import { useEffect, useRef } from 'react';
import { stateOfOutcome, type RenewalOutcome } from '../../../../../../domain/renewal.ts';
import type { CertificateView, GrantView, RenewalView } from '../../../api/contract.ts';
import { FaultNotice } from '../../../app/fault.tsx';
import { useMay } from '../../../app/session.tsx';
import { Button, ButtonLink } from '../../../design/button.tsx';
import { Notice } from '../../../design/notice.tsx';
import { useFormats } from '../../../language/language.tsx';
import { renewalTexts } from '../../../language/renewal-texts.ts';
import { useTexts, wordOf } from '../../../language/texts.ts';
import { words } from '../../../language/words.ts';
import {
  ActivateButton,
  ActivationResult,
  mayActivateNow,
  ServiceState,
  suspendedOf,
  useActivation,
} from '../client-services.tsx';
import { renewalPath } from '../paths.ts';
import { renewalWords } from './renewal-words.ts';
import styles from './renewal.module.css';

type Props = {
  readonly renewal: RenewalView;
  readonly certificate: CertificateView;
  readonly onLeave: () => void;
  readonly onRenew: () => void;
};

/** How the renewal ended, with the one button that leads on. */
export function Outcome(props: Props) {
  const { outcome } = props.renewal;
  const heading = useRef<HTMLDivElement>(null);
  useEffect(() => heading.current?.focus(), []);
  if (outcome === null) return null;
  return (
    <div ref={heading} tabIndex={-1} className={styles.outcome}>
      {outcome.grant === null ? (
        <NotGranted {...props} code={outcome.code as RenewalOutcome} />
      ) : (
        <Granted {...props} grant={outcome.grant} />
      )}
    </div>
  );
}

function Granted({ grant, certificate, onLeave }: Props & { readonly grant: GrantView }) {
  const t = useTexts(renewalWords);
  const formats = useFormats();
  const may = useMay(certificate.account.id);
  const activation = useActivation(certificate);
  const { timeZone } = certificate.account;
  const until = formats.instant(grant.expiresAt, timeZone);
  const suspended = suspendedOf(certificate);
  const canActivate = may('activate') && mayActivateNow(certificate);
  const ids = suspended.map(({ id }) => id);
  return (
    <Notice
      tone="good"
      announce="status"
      title={t.doneTitle}
      actions={
        <>
          {canActivate && ids.length > 1 && (
            <Button
              look="primary"
              busy={activation.isPending}
              onClick={() => activation.mutate(ids)}
            >
              {t.activateAll(ids.length)}
            </Button>
          )}
          <Button onClick={onLeave}>{t.finish}</Button>
        </>
      }
    >
      <p>{t.done(until)}</p>
      {grant.shorterThanAllowed && (
        <p>
          {grant.bindingLimit === 'certificate'
            ? t.certificateBinds(until)
            : t.shorter(until, formats.number(grant.allowance))}
        </p>
      )}
      {suspended.length > 0 && <p>{t.suspended}</p>}
      {suspended.length > 0 && (
        <ul className={styles.suspended}>
          {suspended.map((service) => (
            <li key={service.id} className={styles.service}>
              <ServiceState service={service} timeZone={timeZone} />
              {canActivate && (
                <ActivateButton
                  service={service}
                  busy={activation.isPending && activation.variables.includes(service.id)}
                  onActivate={() => activation.mutate([service.id])}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {activation.data !== undefined && (
        <ActivationResult certificate={certificate} results={activation.data.results} />
      )}
      {activation.error !== null && <FaultNotice error={activation.error} />}
    </Notice>
  );
}

/** Those that starting again does not mend. */
const hopeless: readonly RenewalOutcome[] = [
  'ca_misconfigured',
  'certificate_ended',
  'certificate_unusable',
  'operator_not_allowed',
  'replaced',
  'taken_over',
];

function NotGranted({
  code,
  renewal,
  certificate,
  onLeave,
  onRenew,
}: Props & { readonly code: RenewalOutcome }) {
  const t = useTexts(renewalWords);
  const w = useTexts(words);
  const told = useTexts(renewalTexts).outcome;
  const may = useMay(certificate.account.id);
  const { outcome } = renewal;
  const [sentence, whatToDo] = wordOf(told, code) ?? [
    outcome?.message ?? '',
    outcome?.whatToDo ?? '',
  ];
  const newer = certificate.openRenewal;
  const canStart = may('renew') && newer === null && !hopeless.includes(code);
  const isUnknown = stateOfOutcome[code] === 'outcome_unknown';
  const isNeutral = stateOfOutcome[code] === 'abandoned' || code === 'consent_denied';
  const ownNewer = newer?.isYours === true && newer.id !== renewal.id ? newer : undefined;
  return (
    <Notice
      tone={isNeutral ? 'info' : isUnknown ? 'warn' : 'bad'}
      announce="status"
      title={isUnknown ? t.unknownTitle : t.outcomeTitle}
      actions={
        canStart ? (
          <>
            <Button look="primary" onClick={onRenew}>
              {t.startAgain}
            </Button>
            <Button onClick={onLeave}>{w.close}</Button>
          </>
        ) : ownNewer === undefined ? (
          <Button onClick={onLeave}>{w.close}</Button>
        ) : (
          <ButtonLink look="primary" href={renewalPath(ownNewer)}>
            {t.toNewer}
          </ButtonLink>
        )
      }
    >
      <p>{sentence}</p>
      <p>{whatToDo}</p>
    </Notice>
  );
}
