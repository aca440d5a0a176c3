import { ExternalLink } from 'lucide-react';
import { isProblem } from '../../../api/client.ts';
import type { CertificateView } from '../../../api/contract.ts';
import { FaultNotice } from '../../../app/fault.tsx';
import { useSession } from '../../../app/session.tsx';
import { Button } from '../../../design/button.tsx';
import { Dialog, DialogActions } from '../../../design/dialog.tsx';
import { Facts } from '../../../design/facts.tsx';
import { Notice } from '../../../design/notice.tsx';
import { useFormats } from '../../../language/language.tsx';
import { useTexts } from '../../../language/texts.ts';
import { words } from '../../../language/words.ts';
import { suspendedOf } from '../client-services.tsx';
import { renewalWords } from './renewal-words.ts';
import styles from './renewal.module.css';
import { useStartRenewal } from './use-start-renewal.ts';

/** Before the CA: what will change, for whom one acts, and where one is being sent. */
export function RenewDialog({
  certificate,
  onClose,
}: {
  readonly certificate: CertificateView;
  readonly onClose: () => void;
}) {
  const t = useTexts(renewalWords);
  const w = useTexts(words);
  const formats = useFormats();
  const { policy } = useSession();
  const { ca, account, openRenewal } = certificate;
  const { start, isGoing, error } = useStartRenewal(certificate.id);
  const isColleagues =
    (openRenewal !== null && !openRenewal.isYours) || isProblem(error, 'renewal_already_open');
  const colleague = openRenewal?.isYours === false ? openRenewal : undefined;
  const since = colleague && formats.time(colleague.startedAt, account.timeZone);

  return (
    <Dialog title={t.confirm(ca.name)} onClose={onClose}>
      {colleague !== undefined && since !== undefined && (
        <Notice tone="warn" title={t.busy(colleague.operator.name, since)}>
          <p>{t.busyWhat}</p>
        </Notice>
      )}
      <Facts
        items={[
          [t.forWhom, account.name],
          [t.at, ca.name],
          [t.clientAccount, ca.clientAccount],
        ]}
      />
      <p>
        {t.where} {t.time(formats.span(policy.attemptSeconds * 1000))}
      </p>
      <div className={styles.what}>
        <h3>{t.whatTitle}</h3>
        <ul className={styles.points}>
          <li>{t.counts(formats.days(policy.grantSeconds))}</li>
          <li>{t.zero(formats.number(policy.allowance))}</li>
          <li>{t.services(suspendedOf(certificate).length)}</li>
          <li>{t.old}</li>
        </ul>
      </div>
      {ca.clientAccountUrl !== null && (
        <p className={styles.doubt}>
          {t.doubt}{' '}
          <a href={ca.clientAccountUrl} target="_blank" rel="noreferrer">
            {t.check} <ExternalLink size={14} aria-hidden="true" />
            <span className="visually-hidden">{t.newTab}</span>
          </a>
        </p>
      )}
      {error !== null && !(colleague !== undefined && isProblem(error, 'renewal_already_open')) && (
        <FaultNotice error={error} />
      )}
      <DialogActions>
        <Button look="primary" busy={isGoing} onClick={() => void start(isColleagues)}>
          {isColleagues ? t.takeOver : t.go}
        </Button>
        <Button onClick={onClose}>{w.cancel}</Button>
      </DialogActions>
      <p role="status" className="visually-hidden">
        {isGoing ? t.going : ''}
      </p>
    </Dialog>
  );
}
