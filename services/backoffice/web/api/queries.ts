import { keepPreviousData, queryOptions, infiniteQueryOptions } from '@tanstack/react-query';
import type { StandingName } from '../../../../domain/grant.ts';
import type { EndedRenewalState } from '../../../../domain/renewal.ts';
import { call, withQuery } from './client.ts';
import type {
  Account,
  ApiKey,
  AttentionList,
  CertificatePage,
  CertificateView,
  MailView,
  RecipientsView,
  OperatorOfAccount,
  OwnSession,
  RenewalView,
  TimelinePage,
  TimelineType,
  WhoAmI,
} from './contract.ts';
import { syncServerClock } from './server-clock.ts';

type Asked = { readonly signal: AbortSignal };

/** Reads, and takes the server's clock from what is read. */
async function readWithClock<T extends { readonly serverNow: string }>(
  path: string,
  signal: AbortSignal,
): Promise<T> {
  const askedAtMs = performance.now();
  const answer = await call<T>('GET', path, { signal });
  syncServerClock(answer.serverNow, askedAtMs);
  return answer;
}

const id = encodeURIComponent;

/** The keys under which what was read is kept; live.ts throws away by them. */
export const keys = {
  session: ['session'],
  certificates: ['certificates'],
  /** Of all that belongs to a certificate: its timeline, its mails. */
  certificate: (certificateId: string) => ['certificate', certificateId],
  renewals: ['renewals'],
  renewal: (renewalId: string) => ['renewal', renewalId],
  attention: ['attention'],
  account: (accountId: string) => ['account', accountId],
  operators: (accountId: string) => ['account', accountId, 'operators'],
  apiKeys: (accountId: string) => ['account', accountId, 'api-keys'],
  sessions: ['sessions'],
} as const;

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: ({ signal }: Asked) => readWithClock<WhoAmI>('/api/session', signal),
  staleTime: 60_000,
});

export type CertificateFilter = {
  readonly q?: string | undefined;
  readonly standing?: StandingName | undefined;
  readonly account?: string | undefined;
  readonly sort?: 'trouble' | 'alias' | 'expiry' | undefined;
};

const pageLength = 50;
const timelineLength = 25;

export const certificatesQuery = (filter: CertificateFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.certificates, filter],
    queryFn: ({ signal, pageParam }) =>
      call<CertificatePage>(
        'GET',
        withQuery('/api/certificates', { ...filter, limit: pageLength, cursor: pageParam }),
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const certificateQuery = (certificateId: string) =>
  queryOptions({
    queryKey: keys.certificate(certificateId),
    queryFn: ({ signal }: Asked) =>
      readWithClock<CertificateView>(`/api/certificates/${id(certificateId)}`, signal),
  });

export type TimelineFilter = TimelineType | undefined;

/** Where a certificate's timeline is read: a page of it, or with `format: 'csv'` the whole as a file. */
export const timelinePath = (
  certificateId: string,
  query: {
    readonly type: TimelineFilter;
    readonly limit?: number;
    readonly cursor?: string | undefined;
    readonly format?: 'csv';
  },
): string => withQuery(`/api/certificates/${id(certificateId)}/timeline`, query);

export const timelineQuery = (certificateId: string, type: TimelineFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.certificate(certificateId), 'timeline', type],
    queryFn: ({ signal, pageParam }) =>
      call<TimelinePage>(
        'GET',
        timelinePath(certificateId, { type, limit: timelineLength, cursor: pageParam }),
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const recipientsQuery = (certificateId: string) =>
  queryOptions({
    queryKey: [...keys.certificate(certificateId), 'recipients'],
    queryFn: ({ signal }: Asked) =>
      call<RecipientsView>('GET', `/api/certificates/${id(certificateId)}/recipients`, { signal }),
  });

export const mailQuery = (certificateId: string, mailId: string) =>
  queryOptions({
    queryKey: [...keys.certificate(certificateId), 'mail', mailId],
    queryFn: ({ signal }: Asked) => call<MailView>('GET', `/api/mails/${id(mailId)}`, { signal }),
  });

export const renewalQuery = (renewalId: string) =>
  queryOptions({
    queryKey: keys.renewal(renewalId),
    queryFn: ({ signal }: Asked) =>
      readWithClock<RenewalView>(`/api/renewals/${id(renewalId)}`, signal),
  });

export const openRenewalsQuery = queryOptions({
  queryKey: keys.renewals,
  queryFn: ({ signal }: Asked) =>
    call<{ items: RenewalView[] }>('GET', '/api/renewals', { signal }).then(({ items }) => items),
});

/** The newest of those that ended like this. */
export const endedRenewalsQuery = (state: EndedRenewalState) =>
  queryOptions({
    queryKey: [...keys.renewals, state],
    queryFn: ({ signal }: Asked) =>
      call<{ items: RenewalView[] }>('GET', withQuery('/api/renewals', { state }), {
        signal,
      }).then(({ items }) => items),
    placeholderData: keepPreviousData,
  });

export const attentionQuery = queryOptions({
  queryKey: keys.attention,
  queryFn: ({ signal }: Asked) => call<AttentionList>('GET', '/api/attention', { signal }),
});

export const accountQuery = (accountId: string) =>
  queryOptions({
    queryKey: keys.account(accountId),
    queryFn: ({ signal }: Asked) =>
      call<Account>('GET', `/api/accounts/${id(accountId)}`, { signal }),
  });

const itemsOf = <T>(path: string, signal: AbortSignal) =>
  call<{ items: T[] }>('GET', path, { signal }).then(({ items }) => items);

const waitingMs = 3_000;

export const operatorsQuery = (accountId: string) =>
  queryOptions({
    queryKey: keys.operators(accountId),
    queryFn: ({ signal }: Asked) =>
      itemsOf<OperatorOfAccount>(`/api/accounts/${id(accountId)}/operators`, signal),
    // Whether the mail was accepted is known a moment after it was asked for.
    refetchInterval: ({ state: { data } }) =>
      data?.some(({ invitation }) => invitation?.state === 'waiting') === true && waitingMs,
  });

export const apiKeysQuery = (accountId: string) =>
  queryOptions({
    queryKey: keys.apiKeys(accountId),
    queryFn: ({ signal }: Asked) =>
      itemsOf<ApiKey>(`/api/accounts/${id(accountId)}/api-keys`, signal),
  });

export const sessionsQuery = queryOptions({
  queryKey: keys.sessions,
  queryFn: ({ signal }: Asked) => itemsOf<OwnSession>('/api/sessions', signal),
});
