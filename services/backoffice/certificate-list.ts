import { Problem } from '../../domain/errors.ts';
import { forecastOf } from '../../domain/forecast.ts';
import { maySign, standingOf, type Standing, type StandingName } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import type { ListedCertificate } from '../../infra/postgres/certificates.ts';
import { accessNow, type AccessNow } from './access-now.ts';

export const certificateSorts = ['trouble', 'alias', 'expiry'] as const;
type CertificateSort = (typeof certificateSorts)[number];

export type ListQuery = {
  readonly account?: string | undefined;
  readonly standing?: StandingName | undefined;
  /** Part of a name, in any case: alias, subject, serial or account. */
  readonly q?: string | undefined;
  readonly sort: CertificateSort;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export type ListItem = { readonly certificate: ListedCertificate; readonly access: AccessNow };
export type CertificatePage = {
  readonly items: readonly ListItem[];
  /** Of all that fit account and q, whatever their standing. */
  readonly totals: Readonly<Record<StandingName, number>>;
  readonly nextCursor: string | undefined;
};

type SortKey = readonly (number | string)[];

/** One page of an operator's certificates. Standing is told by the domain's rule, so list, detail and gate cannot differ. */
export function listPage(
  certificates: readonly ListedCertificate[],
  query: ListQuery,
  now: Date,
  policy: Policy,
): CertificatePage {
  const wanted = query.q?.toLowerCase();
  const found = certificates
    .filter((certificate) => fits(certificate, query.account, wanted))
    .map((certificate) => ({
      certificate,
      standing: standingOf(certificate.grant, certificate.used, now, policy),
    }));
  const totals: Record<StandingName, number> = { none: 0, in_force: 0, warned: 0, lapsed: 0 };
  for (const { standing } of found) totals[standing.kind] += 1;

  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  const sorted = found
    .filter(({ standing }) => query.standing === undefined || standing.kind === query.standing)
    .map((item) => ({ item, key: sortKey(item, query.sort, now, policy) }))
    .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
    .sort((a, b) => compareKeys(a.key, b.key));
  const page = sorted.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item: { certificate } }) => ({
      certificate,
      access: accessNow(certificate, now, policy),
    })),
    totals,
    nextCursor: last && sorted.length > page.length ? formatCursor(last.key) : undefined,
  };
}

function fits(
  { account, alias, subject, serial }: ListedCertificate,
  accountId: string | undefined,
  wanted: string | undefined,
): boolean {
  if (accountId !== undefined && account.accountId !== accountId) return false;
  if (wanted === undefined) return true;
  return [alias, subject, serial, account.name].some((text) => text.toLowerCase().includes(wanted));
}

const troubleRank: Record<StandingName, number> = { lapsed: 0, warned: 1, in_force: 2, none: 3 };
const never = Number.MAX_SAFE_INTEGER;

/** Ends with the id, so that no two are equal and a page begins exactly where the one before ended. */
function sortKey(
  { certificate, standing }: { certificate: ListedCertificate; standing: Standing },
  sort: CertificateSort,
  now: Date,
  policy: Policy,
): SortKey {
  const { grant, used, certificateId } = certificate;
  const alias = certificate.alias.toLowerCase();
  if (sort === 'alias') return [alias, certificateId];
  const expiresMs = grant?.expiresAt.getTime() ?? never;
  if (sort === 'expiry') return [expiresMs, alias, certificateId];
  const troubleMs =
    grant !== undefined && maySign(standing)
      ? forecastOf(grant, used, now, policy).endsAt.getTime()
      : expiresMs;
  return [troubleRank[standing.kind], troubleMs, alias, certificateId];
}

function compareKeys(a: SortKey, b: SortKey): number {
  for (let index = 0; index < a.length; index += 1) {
    const [one, other] = [a[index], b[index]];
    if (one === undefined || other === undefined || typeof one !== typeof other) return 1;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

const formatCursor = (key: SortKey): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

function parseCursor(cursor: string): SortKey {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isKey =
      Array.isArray(key) && key.every((part) => ['string', 'number'].includes(typeof part));
    if (isKey) return key as SortKey;
  } catch {
    // Answered below like any other cursor that is not ours.
  }
  throw new Problem('invalid_request', {
    faults: [{ path: 'query.cursor', message: 'This is not a cursor of this list.' }],
  });
}
