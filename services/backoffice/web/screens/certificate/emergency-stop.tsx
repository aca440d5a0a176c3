import { useMutation, useQueryClient } from '@tanstack/react-query';
import { OctagonX } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import type { CertificateView } from '../../api/contract.ts';
import { keys } from '../../api/queries.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { TextArea } from '../../design/field.tsx';
import { Notice } from '../../design/notice.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { certificateTexts } from './certificate-texts.ts';
import styles from './certificate.module.css';
import { mayActivateNow } from './client-services.tsx';

/** For administrators, well apart from everything else. Offered only while there is something to stop. */
export function EmergencyStop({ certificate }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const stop = useMutation({
    mutationFn: () =>
      call<{ readonly suspendedServiceCount: number }>(
        'POST',
        `/api/certificates/${encodeURIComponent(certificate.id)}/revocation`,
        { body: { reason: reason.trim() } },
      ),
    onSuccess: () => {
      setAsking(false);
      setReason('');
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.certificate(certificate.id) }),
  });
  // What comes of it is told in the dialog, so it stays until then.
  const close = (): void => {
    if (stop.isPending) return;
    stop.reset();
    setAsking(false);
  };
  // Also after a stop from here, once somebody has renewed.
  const canStop = mayActivateNow(certificate);
  // The end of the access is often heard of before the answer to the stop, whose dialog is still open then.
  if (!canStop && !stop.isSuccess && !stop.isPending) return null;
  return (
    <div className={styles.stop}>
      <Card title={t.stopTitle} tone="bad">
        {stop.isSuccess && !canStop ? (
          <Notice tone="good" announce="status">
            <p>{t.stopped(stop.data.suspendedServiceCount)}</p>
          </Notice>
        ) : (
          <>
            <p>{t.stopText}</p>
            <div>
              <Button
                look="danger"
                icon={<OctagonX size={18} aria-hidden="true" />}
                onClick={() => setAsking(true)}
              >
                {t.stopButton}
              </Button>
            </div>
          </>
        )}
        {isAsking && (
          <StopDialog
            alias={certificate.alias}
            reason={reason}
            onReason={setReason}
            error={stop.error}
            busy={stop.isPending}
            onStop={() => stop.mutate()}
            onClose={close}
          />
        )}
      </Card>
    </div>
  );
}

function StopDialog({
  alias,
  reason,
  onReason,
  error,
  busy,
  onStop,
  onClose,
}: {
  readonly alias: string;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly error: unknown;
  readonly busy: boolean;
  readonly onStop: () => void;
  readonly onClose: () => void;
}) {
  const t = useTexts(certificateTexts);
  const w = useTexts(words);
  return (
    <Dialog title={t.stopAsk(alias)} role="alertdialog" onClose={onClose}>
      <ul className={styles.points}>
        {t.stopWhat.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) onStop();
        }}
      >
        <TextArea
          label={t.stopReason}
          hint={t.stopReasonHint}
          required
          maxLength={500}
          value={reason}
          onChange={({ target }) => onReason(target.value)}
        />
        {error !== null && <FaultNotice error={error} />}
        <DialogActions>
          <Button type="submit" look="danger" busy={busy}>
            {t.stopNow}
          </Button>
          <Button onClick={onClose}>{w.cancel}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
