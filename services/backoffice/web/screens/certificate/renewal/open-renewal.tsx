import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../../api/client.ts';
import type { CertificateView, RenewalView } from '../../../api/contract.ts';
import { keys } from '../../../api/queries.ts';
import { FaultNotice } from '../../../app/fault.tsx';
import { useMay } from '../../../app/session.tsx';
import { Button, ButtonLink } from '../../../design/button.tsx';
import { Notice } from '../../../design/notice.tsx';
import { useFormats } from '../../../language/language.tsx';
import { renewalTexts } from '../../../language/renewal-texts.ts';
import { useTexts } from '../../../language/texts.ts';
import { renewalPath } from '../paths.ts';
import { renewalWords } from './renewal-words.ts';

/** Ends a renewal of one's own; the access stays as it is. */
export function useAbandon({ id, certificateId }: Pick<RenewalView, 'id' | 'certificateId'>) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  /** Answers whether it did. */
  const abandon = async (): Promise<boolean> => {
    setBusy(true);
    setError(null);
    let isAbandoned = true;
    try {
      await call('DELETE', `/api/renewals/${encodeURIComponent(id)}`);
    } catch (fault) {
      isAbandoned = false;
      setError(fault);
    }
    await Promise.all([
      client.invalidateQueries({ queryKey: keys.renewal(id) }),
      client.invalidateQueries({ queryKey: keys.certificate(certificateId) }),
    ]);
    setBusy(false);
    return isAbandoned;
  };
  return { abandon, busy, error };
}

/** A renewal that is going on: one's own, with the way on; a colleague's, live, with take-over. */
export function OpenRenewal({
  certificate,
  renewal,
  onRenew,
  onEnterCode,
  onAbandoned,
}: {
  readonly certificate: CertificateView;
  readonly renewal: RenewalView;
  readonly onRenew: () => void;
  /** Where the code dialog is at hand; else a link leads there. */
  readonly onEnterCode?: () => void;
  /** Where what came of it is not shown by itself. */
  readonly onAbandoned?: () => void;
}) {
  const t = useTexts(renewalWords);
  const states = useTexts(renewalTexts);
  const formats = useFormats();
  const may = useMay(certificate.account.id);
  const { abandon, busy, error } = useAbandon(renewal);
  const { timeZone } = certificate.account;
  const { state, isYours, operator, startedAt, deadline, notice } = renewal;
  const since = formats.time(startedAt, timeZone);
  const isAuthorizing = state === 'authorizing';

  const actions = may('renew') && !isAuthorizing && (
    <>
      {isYours &&
        state === 'awaiting_code' &&
        (onEnterCode === undefined ? (
          <ButtonLink look="primary" href={renewalPath(renewal)}>
            {t.enterCode}
          </ButtonLink>
        ) : (
          <Button look="primary" onClick={onEnterCode}>
            {t.enterCode}
          </Button>
        ))}
      {isYours && state === 'at_ca' && (
        <Button look="primary" onClick={onRenew}>
          {t.again}
        </Button>
      )}
      {isYours ? (
        <Button
          busy={busy}
          onClick={() => void abandon().then((isAbandoned) => isAbandoned && onAbandoned?.())}
        >
          {t.abandon}
        </Button>
      ) : (
        <Button onClick={onRenew}>{t.takeOver} …</Button>
      )}
    </>
  );
  return (
    <Notice
      tone="info"
      announce="status"
      title={isYours ? t.yours(since) : t.theirs(operator.name, since)}
      actions={actions === false ? undefined : actions}
    >
      <p>
        {isAuthorizing
          ? t.asking
          : isYours && state === 'at_ca'
            ? t.waitsAtCa
            : `${states.state[state]}.`}{' '}
        {!isAuthorizing && t.openUntil(formats.time(deadline, timeZone))}
      </p>
      {notice !== null && <p>{states.notice[notice.code as keyof typeof states.notice]}</p>}
      {error !== null && <FaultNotice error={error} />}
    </Notice>
  );
}
