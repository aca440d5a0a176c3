import { useInfiniteQuery } from '@tanstack/react-query';
import { FileBadge2, SearchX, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { StandingName } from '../../../../../domain/grant.ts';
import type { CertificatePage, ListedCertificate } from '../../api/contract.ts';
import { certificatesQuery, type CertificateFilter } from '../../api/queries.ts';
import { TimeMeter, UsageMeter } from '../../app/access-meters.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { useSession } from '../../app/session.tsx';
import { StandingStatus } from '../../app/standing.tsx';
import { Title } from '../../app/title.tsx';
import { Button } from '../../design/button.tsx';
import { Empty } from '../../design/empty.tsx';
import { SelectField, TextField } from '../../design/field.tsx';
import { useFormats } from '../../language/language.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { certificatePath } from '../certificate/paths.ts';
import { listTexts } from './certificates-texts.ts';
import styles from './certificates.module.css';

const standings = ['lapsed', 'warned', 'in_force', 'none'] as const satisfies StandingName[];
const sorts = ['trouble', 'alias', 'expiry'] as const;

/** Certificates: all of one's accounts, soonest trouble first. What is filtered stands in the address, so that Back and a link lead to the same. */
export function CertificatesScreen() {
  const t = useTexts(listTexts);
  const w = useTexts(words);
  const [parameters, setParameters] = useSearchParams();
  const filter = filterOf(parameters);
  const query = useInfiniteQuery(certificatesQuery(filter));
  const set = (name: keyof CertificateFilter, value: string | undefined): void => {
    setParameters(
      (before) => {
        if (value === undefined || value === '') before.delete(name);
        else before.set(name, value);
        return before;
      },
      { replace: name === 'q' },
    );
  };

  return (
    <>
      <Title>{w.certificates}</Title>
      <Filters filter={filter} totals={query.data?.pages.at(-1)?.totals} onSet={set} />
      <Loaded query={query} lines={8}>
        {({ pages }) => (
          <Found
            certificates={pages.flatMap(({ items }) => items)}
            total={totalOf(pages.at(-1)?.totals, filter.standing)}
            isFiltered={Object.values(filter).some((value) => value !== undefined)}
            onClear={() => setParameters({})}
            more={
              query.hasNextPage && (
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t.more}
                </Button>
              )
            }
          />
        )}
      </Loaded>
    </>
  );
}

function filterOf(parameters: URLSearchParams): CertificateFilter {
  return {
    q: parameters.get('q') ?? undefined,
    account: parameters.get('account') ?? undefined,
    standing: standings.find((name) => name === parameters.get('standing')),
    sort: sorts.find((name) => name === parameters.get('sort')),
  };
}

function totalOf(
  totals: CertificatePage['totals'] | undefined,
  standing: StandingName | undefined,
): number {
  if (totals === undefined) return 0;
  return standing === undefined
    ? Object.values(totals).reduce((sum, count) => sum + count, 0)
    : totals[standing];
}

function Filters({
  filter,
  totals,
  onSet,
}: {
  readonly filter: CertificateFilter;
  readonly totals: CertificatePage['totals'] | undefined;
  readonly onSet: (name: keyof CertificateFilter, value: string | undefined) => void;
}) {
  const t = useTexts(listTexts);
  const w = useTexts(words);
  const formats = useFormats();
  const { accounts } = useSession();
  const chosen = (standing: StandingName | undefined, text: string) => (
    <button
      key={standing ?? 'all'}
      type="button"
      className={styles.standing}
      aria-pressed={filter.standing === standing}
      onClick={() => onSet('standing', standing)}
    >
      {text}
      <span className={styles.count}>{totals && formats.number(totalOf(totals, standing))}</span>
    </button>
  );
  return (
    <search className={styles.filters}>
      <div className={styles.fields}>
        <Search value={filter.q ?? ''} onSearch={(value) => onSet('q', value)} />
        {accounts.length > 1 && (
          <SelectField
            label={t.account}
            value={filter.account ?? ''}
            options={[['', t.allAccounts], ...accounts.map(({ id, name }) => [id, name] as const)]}
            onChange={({ target }) => onSet('account', target.value)}
          />
        )}
        <SelectField
          label={t.order}
          value={filter.sort ?? 'trouble'}
          options={sorts.map((sort) => [sort, t.sorts[sort]] as const)}
          onChange={({ target }) =>
            onSet('sort', target.value === 'trouble' ? undefined : target.value)
          }
        />
      </div>
      <div role="group" aria-label={t.standing} className={styles.standings}>
        {chosen(undefined, t.all)}
        {standings.map((standing) => chosen(standing, w.standing[standing]))}
      </div>
    </search>
  );
}

const typingPauseMs = 250;

/** Searches when typing pauses. What is typed follows the address where that changes by itself: by Back, or when filters are cleared. */
function Search({
  value,
  onSearch,
}: {
  readonly value: string;
  readonly onSearch: (value: string) => void;
}) {
  const t = useTexts(listTexts);
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    if (typed.trim() !== value) setTyped(value);
  }
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = setTimeout(() => onSearch(typed.trim()), typingPauseMs);
    return () => clearTimeout(timer);
  }, [typed, value, onSearch]);
  return (
    <TextField
      label={t.search}
      type="search"
      placeholder={t.searchHint}
      maxLength={200}
      autoComplete="off"
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
    />
  );
}

function Found({
  certificates,
  total,
  isFiltered,
  onClear,
  more,
}: {
  readonly certificates: readonly ListedCertificate[];
  readonly total: number;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
  readonly more: React.ReactNode;
}) {
  const t = useTexts(listTexts);
  const w = useTexts(words);
  const formats = useFormats();
  const { accounts } = useSession();
  if (certificates.length === 0) {
    return isFiltered ? (
      <Empty
        icon={<SearchX size={32} aria-hidden="true" />}
        title={t.nothingFound}
        action={<Button onClick={onClear}>{t.showAll}</Button>}
      />
    ) : (
      <Empty icon={<FileBadge2 size={32} aria-hidden="true" />} title={t.empty}>
        <p>{t.emptyWhy}</p>
      </Empty>
    );
  }
  return (
    <section aria-label={w.certificates} className={styles.found}>
      <p role="status" className={styles.shown}>
        {t.shown(formats.number(certificates.length), formats.number(total))}
      </p>
      <ul className={styles.list}>
        {certificates.map((certificate) => (
          <Row
            key={certificate.id}
            certificate={certificate}
            timeZone={accounts.find(({ id }) => id === certificate.account.id)?.timeZone}
            withAccount={accounts.length > 1}
          />
        ))}
      </ul>
      {more !== false && <div className={styles.more}>{more}</div>}
    </section>
  );
}

function Row({
  certificate,
  timeZone,
  withAccount,
}: {
  readonly certificate: ListedCertificate;
  readonly timeZone: string | undefined;
  readonly withAccount: boolean;
}) {
  const t = useTexts(listTexts);
  const { id, alias, account, subject, suspendedServiceCount } = certificate;
  return (
    <li className={styles.row}>
      <div className={styles.name}>
        <Link href={certificatePath(id)} className={styles.link}>
          {alias}
        </Link>
        <span className={styles.soft}>{withAccount ? account.name : subject}</span>
      </div>
      <div className={styles.state}>
        <StandingStatus {...certificate} />
        {suspendedServiceCount > 0 && (
          <span className={styles.suspended}>
            <TriangleAlert size={14} aria-hidden="true" />
            {t.suspended(suspendedServiceCount)}
          </span>
        )}
      </div>
      <TimeMeter access={certificate} timeZone={timeZone} small />
      <UsageMeter access={certificate} small />
    </li>
  );
}
