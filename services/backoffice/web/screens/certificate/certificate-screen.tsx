import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowLeft } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { isProblem } from '../../api/client.ts';
import type { CertificateView } from '../../api/contract.ts';
import { certificateQuery, keys } from '../../api/queries.ts';
import { serverNowMs } from '../../api/server-clock.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { useMay, useSession } from '../../app/session.tsx';
import { StandingStatus } from '../../app/standing.tsx';
import { useSteadyError } from '../../app/steady-error.ts';
import { Title } from '../../app/title.tsx';
import { Card } from '../../design/card.tsx';
import { Facts } from '../../design/facts.tsx';
import { Skeleton } from '../../design/skeleton.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { NotFoundScreen } from '../not-found-screen.tsx';
import { AccessCard } from './access-card.tsx';
import { certificateTexts } from './certificate-texts.ts';
import styles from './certificate.module.css';
import { ClientServices } from './client-services.tsx';
import { EmergencyStop } from './emergency-stop.tsx';
import { Recipients } from './recipients.tsx';
import { RenewDialog } from './renewal/renew-dialog.tsx';

// For those who come back from the CA.
const RenewalOnScreen = lazy(() => import('./renewal/renewal-on-screen.tsx'));
// Below what is seen first, and the part with the most words.
const Timeline = lazy(() => import('./timeline.tsx'));

/** Certificates > Detail. A renewal in the address (`?renewal=`) is gone on with here, in whatever tab, after a reload or a sign-in. */
export function CertificateScreen({ certificateId }: { readonly certificateId: string }) {
  const query = useQuery(certificateQuery(certificateId));
  useReadAtNextInstant(query.data);
  // Whoever may not see it any more is not left with what was read before.
  const error = useSteadyError(query);
  if (isProblem(error, 'not_found')) return <NotFoundScreen />;
  return (
    <Loaded query={query} lines={10}>
      {(certificate) => <Detail certificate={certificate} />}
    </Loaded>
  );
}

function Detail({ certificate }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const w = useTexts(words);
  const [parameters, setParameters] = useSearchParams();
  const renewalId = parameters.get('renewal');
  const [isStarting, setStarting] = useState(false);
  const may = useMay(certificate.account.id);
  const { id, alias, account, access, subject } = certificate;
  const leaveRenewal = (): void => {
    setParameters({}, { replace: true });
  };

  return (
    <>
      <Link href="/certificates" className={styles.back}>
        <ArrowLeft size={16} aria-hidden="true" />
        {t.back}
      </Link>
      <Title
        aside={<StandingStatus {...access} />}
        below={<p className={styles.subject}>{subject}</p>}
      >
        {alias}
      </Title>
      {renewalId !== null && (
        <Suspense fallback={<Skeleton label={w.loading} lines={2} />}>
          <RenewalOnScreen
            key={renewalId}
            renewalId={renewalId}
            certificate={certificate}
            onLeave={leaveRenewal}
            onRenew={() => setStarting(true)}
          />
        </Suspense>
      )}
      {isStarting && <RenewDialog certificate={certificate} onClose={() => setStarting(false)} />}
      <div className={styles.cards}>
        <General certificate={certificate} />
        <AccessCard
          certificate={certificate}
          shownRenewalId={renewalId}
          onRenew={() => setStarting(true)}
          onAbandoned={(renewal) => setParameters({ renewal }, { replace: true })}
        />
      </div>
      <ClientServices certificate={certificate} isTold={renewalId !== null} />
      <Recipients certificateId={id} timeZone={account.timeZone} accountId={account.id} />
      <Suspense fallback={<Skeleton label={w.loading} lines={8} />}>
        <Timeline certificateId={id} timeZone={account.timeZone} />
      </Suspense>
      {may('revoke') && <EmergencyStop certificate={certificate} />}
    </>
  );
}

function General({ certificate }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const { account, subject, issuer, serial, notAfter, workflowUrl } = certificate;
  return (
    <Card title={t.general}>
      <Facts
        items={[
          [t.account, account.name],
          [t.subject, subject],
          [t.issuer, issuer],
          [t.serial, <code key="serial">{serial}</code>],
          [t.ends, <Instant key="ends" at={notAfter} timeZone={account.timeZone} />],
          ...(workflowUrl === null
            ? []
            : [
                [
                  t.workflow,
                  <a key="workflow" href={workflowUrl} target="_blank" rel="noreferrer">
                    {t.openWorkflow}
                  </a>,
                ] as const,
              ]),
        ]}
      />
    </Card>
  );
}

const longestTimerMs = 2 ** 31 - 1;
/** Past the instant itself, so that the server finds it passed. */
const afterMs = 1_500;

/** Reads the certificate again at the instant its standing changes by time alone: the warning begins, the access ends. */
function useReadAtNextInstant(certificate: CertificateView | undefined): void {
  const client = useQueryClient();
  const { warningSeconds } = useSession().policy;
  useEffect(() => {
    const expiresAt = certificate?.access.expiresAt;
    if (certificate === undefined || expiresAt == null) return undefined;
    const expiresMs = Date.parse(expiresAt);
    const now = serverNowMs();
    const next = [expiresMs - warningSeconds * 1000, expiresMs].find((at) => at > now);
    if (next === undefined) return undefined;
    const timer = setTimeout(
      () => void client.invalidateQueries({ queryKey: keys.certificate(certificate.id) }),
      Math.min(longestTimerMs, next - now + afterMs),
    );
    return () => clearTimeout(timer);
  }, [certificate, client, warningSeconds]);
}
