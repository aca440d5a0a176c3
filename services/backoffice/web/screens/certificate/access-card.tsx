import { useQuery } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { may } from '../../../../../domain/roles.ts';
import type { CertificateView } from '../../api/contract.ts';
import { recipientsQuery } from '../../api/queries.ts';
import { TimeMeter, UsageMeter } from '../../app/access-meters.tsx';
import { Instant } from '../../app/instant.tsx';
import { useNow } from '../../app/now.tsx';
import { useMay } from '../../app/session.tsx';
import { StandingStatus } from '../../app/standing.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Facts } from '../../design/facts.tsx';
import { Notice } from '../../design/notice.tsx';
import { useFormats } from '../../language/language.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { certificateTexts } from './certificate-texts.ts';
import styles from './certificate.module.css';
import { OpenRenewal } from './renewal/open-renewal.tsx';

/** The second card: until when the CA lets the platform sign, how much of it is used, and Renew. */
export function AccessCard({
  certificate,
  shownRenewalId,
  onRenew,
  onAbandoned,
}: {
  readonly certificate: CertificateView;
  /** The renewal that is on the screen already. */
  readonly shownRenewalId: string | null;
  readonly onRenew: () => void;
  /** Puts the renewal that was abandoned here on the screen, which says what came of it. */
  readonly onAbandoned: (renewalId: string) => void;
}) {
  const t = useTexts(certificateTexts);
  const w = useTexts(words);
  const isAllowed = useMay(certificate.account.id);
  const { access, ca, account, openRenewal } = certificate;
  const { timeZone } = account;
  const { standing, reason, expiresAt, bindingLimit } = access;
  const hasEnded = reason === 'certificate_ended';
  const isUrgent = standing !== 'in_force';

  return (
    <Card title={t.access} aside={<StandingStatus {...access} />}>
      <Situation certificate={certificate} />
      {openRenewal !== null && openRenewal.id !== shownRenewalId && (
        <OpenRenewal
          certificate={certificate}
          renewal={openRenewal}
          onRenew={onRenew}
          onAbandoned={() => onAbandoned(openRenewal.id)}
        />
      )}
      {expiresAt !== null && (
        <dl className={styles.expiry}>
          <dt>{w.expirationDate}</dt>
          <dd>
            <Instant at={expiresAt} timeZone={timeZone} />
          </dd>
        </dl>
      )}
      {expiresAt !== null && (
        <div className={styles.meters}>
          <TimeMeter access={access} />
          <UsageMeter access={access} />
        </div>
      )}
      <Facts
        items={[
          [t.authority, ca.name],
          [t.clientAccount, ca.clientAccount],
          ...(access.effectiveAt === null
            ? []
            : [[t.granted, <Granted key="granted" certificate={certificate} />] as const]),
          ...(bindingLimit === null ? [] : [[t.limit, w.limit[bindingLimit]] as const]),
          ...(access.forecast === null
            ? []
            : [[t.forecast, <Forecast key="forecast" certificate={certificate} />] as const]),
        ]}
      />
      {isAllowed('renew')
        ? !hasEnded &&
          openRenewal === null && (
            <div className={styles.actions}>
              <Button
                look={isUrgent ? 'primary' : 'secondary'}
                icon={<RotateCw size={17} aria-hidden="true" />}
                onClick={onRenew}
              >
                {w.renew}
              </Button>
            </div>
          )
        : !hasEnded && <WhomToAsk certificateId={certificate.id} />}
    </Card>
  );
}

/** Those of the account whose role allows it. */
function WhomToAsk({ certificateId }: { readonly certificateId: string }) {
  const t = useTexts(certificateTexts);
  const formats = useFormats();
  const recipients = useQuery(recipientsQuery(certificateId));
  const names = (recipients.data?.items ?? [])
    .filter(({ role }) => may(role, 'renew'))
    .map(({ name }) => name);
  return (
    <p className={styles.soft}>
      {t.ask(names.length === 0 ? t.askSomebody : formats.anyOf(names))}
    </p>
  );
}

/** What is wrong or soon will be, and what to do. */
function Situation({ certificate }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const w = useTexts(words);
  const formats = useFormats();
  const { access, account } = certificate;
  const { standing, reason, endedAt, expiresAt, bindingLimit } = access;
  if (standing === 'none') {
    return (
      <Notice tone="info" title={t.neverTitle}>
        <p>{t.never}</p>
      </Notice>
    );
  }
  if (standing === 'lapsed' && reason !== null) {
    const at = reason === 'allowance_exhausted' ? null : (endedAt ?? expiresAt);
    const why = w.lapsed[reason];
    return (
      <Notice tone="bad" title={t.blocked}>
        <p>
          {at === null ? `${why}.` : t.blockedSince(why, formats.instant(at, account.timeZone))}
        </p>
        <p>{reason === 'certificate_ended' ? t.certificateEnded : t.blockedNext}</p>
      </Notice>
    );
  }
  if (bindingLimit === 'certificate') {
    return (
      <Notice tone="warn">
        <p>{t.certificateBinds}</p>
      </Notice>
    );
  }
  return standing === 'warned' ? (
    <Notice tone="warn">
      <p>{t.renewNow}</p>
    </Notice>
  ) : null;
}

function Granted({ certificate: { access, account } }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const formats = useFormats();
  const now = useNow();
  const { effectiveAt } = access;
  if (effectiveAt === null) return null;
  const when = `${formats.instant(effectiveAt, account.timeZone)} · ${formats.relative(effectiveAt, now)}`;
  return access.grantedBy === null ? when : t.grantedBy(when, access.grantedBy);
}

function Forecast({ certificate: { access, account } }: { readonly certificate: CertificateView }) {
  const t = useTexts(certificateTexts);
  const formats = useFormats();
  const { forecast, expiresAt, used } = access;
  if (forecast === null || expiresAt === null) return null;
  if (used === 0 || forecast.signaturesPerDay === 0) return t.noRate;
  const { usageLimitAt } = forecast;
  const isBefore = usageLimitAt !== null && usageLimitAt < expiresAt;
  const when = isBefore ? formats.instant(usageLimitAt, account.timeZone) : t.notBefore;
  return `${when} (${t.rate(formats.number(forecast.signaturesPerDay))})`;
}
