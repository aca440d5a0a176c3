import { useQuery } from '@tanstack/react-query';
import { ArrowRight, History, RefreshCw } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { endedRenewalStates, type EndedRenewalState } from '../../../../../domain/renewal.ts';
import type { RenewalView } from '../../api/contract.ts';
import { endedRenewalsQuery, openRenewalsQuery } from '../../api/queries.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { useNow } from '../../app/now.tsx';
import { RenewalStatus } from '../../app/renewal-status.tsx';
import { useMay, useSession } from '../../app/session.tsx';
import { Title } from '../../app/title.tsx';
import { ButtonLink } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { classNames } from '../../design/class-names.ts';
import { Empty } from '../../design/empty.tsx';
import { SelectField } from '../../design/field.tsx';
import { useFormats } from '../../language/language.tsx';
import { renewalTexts } from '../../language/renewal-texts.ts';
import { useTexts, wordOf } from '../../language/texts.ts';
import { certificatePath, renewalPath } from '../certificate/paths.ts';
import { renewalsTexts } from './renewals-texts.ts';
import styles from './renewals.module.css';

/** Renewals of one's accounts: those that are open, with the way on, and what came of earlier ones. */
export default function RenewalsScreen() {
  const t = useTexts(renewalsTexts);
  return (
    <>
      <Title>{t.title}</Title>
      <Open />
      <Ended />
    </>
  );
}

function Open() {
  const t = useTexts(renewalsTexts);
  const query = useQuery(openRenewalsQuery);
  return (
    <Card title={t.open}>
      <Loaded query={query}>
        {(renewals) =>
          renewals.length === 0 ? (
            <Empty
              icon={<RefreshCw size={32} aria-hidden="true" />}
              title={t.noneOpen}
              action={<ButtonLink href="/certificates">{t.toCertificates}</ButtonLink>}
            >
              <p>{t.noneOpenWhy}</p>
            </Empty>
          ) : (
            <ul className={styles.list}>
              {renewals.map((renewal) => (
                <OpenRow key={renewal.id} renewal={renewal} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

function OpenRow({ renewal }: { readonly renewal: RenewalView }) {
  const t = useTexts(renewalsTexts);
  const now = useNow();
  const may = useMay(renewal.account.id);
  const { account, certificate, isYours, state, deadline } = renewal;
  const isOver = Date.parse(deadline) <= now;
  return (
    <Row
      renewal={renewal}
      action={
        isYours ? (
          <ButtonLink
            href={renewalPath(renewal)}
            look="primary"
            icon={<ArrowRight size={17} aria-hidden="true" />}
          >
            {t.goOn}
            <span className="visually-hidden">: {certificate.alias}</span>
          </ButtonLink>
        ) : (
          <ButtonLink href={certificatePath(renewal.certificateId)}>
            {t.look}
            <span className="visually-hidden">: {certificate.alias}</span>
          </ButtonLink>
        )
      }
    >
      <RenewalStatus state={state} />
      <span className={styles.soft}>
        {isOver ? (
          t.over
        ) : (
          <>
            {t.openUntil} <Instant at={deadline} timeZone={account.timeZone} />
          </>
        )}
      </span>
      {!isYours && may('renew') && <span className={styles.soft}>{t.takeOver}</span>}
    </Row>
  );
}

function Ended() {
  const t = useTexts(renewalsTexts);
  const { state: names } = useTexts(renewalTexts);
  const formats = useFormats();
  const [state, setState] = useState<EndedRenewalState>('granted');
  const query = useQuery(endedRenewalsQuery(state));
  return (
    <Card title={t.ended}>
      <div className={styles.filter}>
        <SelectField
          label={t.outcome}
          value={state}
          options={endedRenewalStates.map((one) => [one, names[one]] as const)}
          onChange={({ target }) =>
            setState(endedRenewalStates.find((one) => one === target.value) ?? 'granted')
          }
        />
      </div>
      <Loaded query={query}>
        {(renewals) =>
          renewals.length === 0 ? (
            <Empty icon={<History size={32} aria-hidden="true" />} title={t.noneEnded[state]} />
          ) : (
            <div
              className={classNames(styles.found, query.isPlaceholderData && styles.old)}
              aria-busy={query.isPlaceholderData}
            >
              <ul className={styles.list}>
                {renewals.map((renewal) => (
                  <EndedRow key={renewal.id} renewal={renewal} />
                ))}
              </ul>
              <p role="status" className={styles.soft}>
                {t.shown(formats.number(renewals.length), renewals.length >= mostListed)}
              </p>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

/** The server lists no more. */
const mostListed = 200;

function EndedRow({ renewal }: { readonly renewal: RenewalView }) {
  const t = useTexts(renewalsTexts);
  const texts = useTexts(renewalTexts);
  const formats = useFormats();
  const { state, outcome, account } = renewal;
  const grant = outcome?.grant;
  return (
    <Row renewal={renewal}>
      <RenewalStatus state={state} />
      {outcome !== null && (
        <>
          {grant ? (
            <span className={styles.soft}>
              {t.grant(
                formats.instant(grant.expiresAt, account.timeZone),
                formats.number(grant.allowance),
              )}
            </span>
          ) : (
            <span>{wordOf(texts.outcome, outcome.code)?.[0] ?? outcome.message}</span>
          )}
          <span className={styles.soft}>
            {t.endedAt} · <Instant at={outcome.endedAt} timeZone={account.timeZone} />
          </span>
        </>
      )}
    </Row>
  );
}

/** What every renewal tells: of which certificate, who and since when. */
function Row({
  renewal,
  action,
  children,
}: {
  readonly renewal: RenewalView;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}) {
  const t = useTexts(renewalsTexts);
  const { accounts } = useSession();
  const { certificate, account, operator, isYours, startedAt, outcome } = renewal;
  return (
    <li className={classNames(styles.row, action !== undefined && styles.acted)}>
      <div className={styles.what}>
        <Link href={certificatePath(renewal.certificateId)} className={styles.name}>
          {certificate.alias}
        </Link>
        {accounts.length > 1 && <span className={styles.soft}>{account.name}</span>}
        <span className={styles.soft}>
          {isYours ? t.byYou : t.by(operator.name)}
          {outcome === null && (
            <>
              {' '}
              · <Instant at={startedAt} timeZone={account.timeZone} />
            </>
          )}
        </span>
      </div>
      <div className={styles.state}>{children}</div>
      {action !== undefined && <div className={styles.action}>{action}</div>}
    </li>
  );
}
