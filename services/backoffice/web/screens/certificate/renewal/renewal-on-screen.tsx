import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isOpen } from '../../../../../../domain/renewal.ts';
import { isProblem } from '../../../api/client.ts';
import type { CertificateView, RenewalView } from '../../../api/contract.ts';
import { keys, renewalQuery } from '../../../api/queries.ts';
import { FaultNotice } from '../../../app/fault.tsx';
import { Button, ButtonLink } from '../../../design/button.tsx';
import { Notice } from '../../../design/notice.tsx';
import { Skeleton } from '../../../design/skeleton.tsx';
import { useTexts } from '../../../language/texts.ts';
import { words } from '../../../language/words.ts';
import { CodeDialog } from './code-dialog.tsx';
import { renewalPath } from '../paths.ts';
import { OpenRenewal } from './open-renewal.tsx';
import { Outcome } from './outcome.tsx';
import { renewalWords } from './renewal-words.ts';

/** While the CA is asked, in another tab or by a request whose answer was lost. */
const askAgainMs = 2_000;

/** The renewal that stands in the address, wherever it is by now. */
export default function RenewalOnScreen({
  renewalId,
  certificate,
  onLeave,
  onRenew,
}: {
  readonly renewalId: string;
  readonly certificate: CertificateView;
  /** Takes it out of the address. */
  readonly onLeave: () => void;
  readonly onRenew: () => void;
}) {
  const t = useTexts(renewalWords);
  const w = useTexts(words);
  const query = useQuery({
    ...renewalQuery(renewalId),
    refetchInterval: ({ state }) => (state.data?.state === 'authorizing' ? askAgainMs : false),
  });
  const renewal = query.data;
  useCertificateFollows(certificate, renewal);
  const [isLater, setLater] = useState(false);

  if (renewal === undefined) {
    if (isProblem(query.error, 'not_found')) {
      return (
        <Notice tone="warn" title={t.gone} actions={<Button onClick={onLeave}>{w.close}</Button>} />
      );
    }
    return query.error === null ? (
      <Skeleton label={w.loading} lines={2} />
    ) : (
      <FaultNotice error={query.error} onRetry={() => void query.refetch()} />
    );
  }
  if (renewal.certificateId !== certificate.id) {
    return (
      <Notice
        tone="warn"
        title={t.notHere}
        actions={<ButtonLink href={renewalPath(renewal)}>{t.toThere}</ButtonLink>}
      />
    );
  }
  if (!isOpen(renewal.state)) {
    return (
      <Outcome renewal={renewal} certificate={certificate} onLeave={onLeave} onRenew={onRenew} />
    );
  }
  const { isYours, state } = renewal;
  if (!isYours && state === 'authorizing') {
    return (
      <Notice tone="info" announce="status" title={t.asking}>
        <p>{t.askingWhat}</p>
      </Notice>
    );
  }
  return (
    <>
      {/* It stays while the CA is asked, so that what comes of it is told where it was typed. */}
      {isYours && state !== 'at_ca' && !isLater && (
        <CodeDialog renewal={renewal} certificate={certificate} onLater={() => setLater(true)} />
      )}
      {/* Behind the dialog, and what is left of it when it was closed. */}
      <OpenRenewal
        certificate={certificate}
        renewal={renewal}
        onRenew={onRenew}
        onEnterCode={() => setLater(false)}
      />
    </>
  );
}

/** The certificate is read again when its renewal has come to another state: both are seen together. */
function useCertificateFollows(
  certificate: CertificateView,
  renewal: RenewalView | undefined,
): void {
  const client = useQueryClient();
  const state = renewal?.state;
  const { id } = certificate;
  useEffect(() => {
    if (state !== undefined) void client.invalidateQueries({ queryKey: keys.certificate(id) });
  }, [client, id, state]);
}
