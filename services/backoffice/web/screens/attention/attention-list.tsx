import type { UseQueryResult } from '@tanstack/react-query';
import {
  Ban,
  CircleCheckBig,
  CirclePause,
  Clock,
  Gauge,
  MailX,
  RefreshCw,
  RotateCw,
  UserRoundX,
} from 'lucide-react';
import { Link } from 'wouter';
import type { AttentionItem, AttentionList as Attention } from '../../api/contract.ts';
import { Loaded } from '../../app/loaded.tsx';
import { useNow } from '../../app/now.tsx';
import { useSession } from '../../app/session.tsx';
import { classNames } from '../../design/class-names.ts';
import { useFormats } from '../../language/language.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { partPath } from '../account/paths.ts';
import { certificatePath } from '../certificate/paths.ts';
import { attentionTexts } from './attention-texts.ts';
import styles from './attention.module.css';

/** As many as can be taken in at once; where there are more, the list of certificates is the better place. */
const mostShown = 20;

/** What needs somebody, most urgent first, each with the way there. */
export function AttentionList({
  query,
  onGo,
}: {
  readonly query: UseQueryResult<Attention>;
  readonly onGo: () => void;
}) {
  const t = useTexts(attentionTexts);
  const formats = useFormats();
  return (
    <Loaded query={query}>
      {({ items, total }) => {
        const shown = items.slice(0, mostShown);
        if (shown.length === 0) {
          return (
            <p className={styles.nothing}>
              <CircleCheckBig size={20} aria-hidden="true" />
              {t.nothing}
            </p>
          );
        }
        return (
          <ul className={styles.list}>
            {shown.map((item) => (
              <li key={keyOf(item)}>
                <Item item={item} onGo={onGo} />
              </li>
            ))}
            {total > shown.length && (
              <li>
                <Link href="/certificates" className={styles.more} onClick={onGo}>
                  {t.more(formats.number(total - shown.length))}
                </Link>
              </li>
            )}
          </ul>
        );
      }}
    </Loaded>
  );
}

function Item({ item, onGo }: { readonly item: AttentionItem; readonly onGo: () => void }) {
  const { accounts } = useSession();
  const [tone, Icon] = lookOf(item);
  const told = useTold(item);
  const name = 'certificate' in item ? item.certificate.alias : item.account.name;
  const isNamedByAccount = !('certificate' in item);
  return (
    <Link href={placeOf(item)} className={styles.item} onClick={onGo}>
      <Icon size={18} aria-hidden="true" className={classNames(styles.icon, styles[tone])} />
      <span className={styles.told}>
        <span className={styles.what}>{told.what}</span>
        <span className={styles.name}>
          {name}
          {accounts.length > 1 && !isNamedByAccount && <> · {item.account.name}</>}
        </span>
        {told.more !== '' && <span className={styles.line}>{told.more}</span>}
      </span>
    </Link>
  );
}

function useTold(item: AttentionItem): { readonly what: string; readonly more: string } {
  const t = useTexts(attentionTexts);
  const w = useTexts(words);
  const formats = useFormats();
  const now = useNow();
  const ago = (instant: string | null) => (instant === null ? '' : formats.relative(instant, now));
  const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' · ');
  switch (item.kind) {
    case 'certificate_lapsed': {
      const { reason, since, suspendedServiceCount: count } = item;
      return {
        what: reason === 'certificate_ended' ? t.certificateEnded : t.lapsed,
        more: joined(w.lapsed[reason], ago(since), count > 0 ? t.suspended(count) : ''),
      };
    }
    case 'services_suspended':
      return { what: t.servicesSuspended, more: t.suspended(item.suspendedServiceCount) };
    case 'nobody_reachable':
      return { what: t.nobodyReachable, more: t.nobodyReachableWhy };
    case 'certificate_warned': {
      const [first] = item.warnings;
      const about = item.warnings.length > 1 ? 'both' : first;
      return {
        what: about === undefined ? w.standing.warned : w.warned[about],
        more: (item.warnings.includes('usage') ? t.endsAtThisRate : t.endsAt)(ago(item.endsAt)),
      };
    }
    case 'mail_undelivered':
      return { what: t.undelivered[item.state](item.operatorName), more: ago(item.at) };
    case 'renewal_in_progress':
      return { what: t.renewing(item.operatorName), more: t.since(ago(item.since)) };
  }
}

function lookOf(item: AttentionItem): readonly ['bad' | 'warn' | 'accent', typeof Ban] {
  switch (item.kind) {
    case 'certificate_lapsed':
      return ['bad', Ban];
    case 'services_suspended':
      return ['bad', CirclePause];
    case 'nobody_reachable':
      return ['bad', UserRoundX];
    case 'certificate_warned':
      return ['warn', item.warnings.includes('time') ? Clock : Gauge];
    case 'mail_undelivered':
      return item.state === 'refused' ? ['bad', MailX] : ['warn', RotateCw];
    case 'renewal_in_progress':
      return ['accent', RefreshCw];
  }
}

const placeOf = (item: AttentionItem): string =>
  'certificate' in item
    ? certificatePath(item.certificate.id)
    : partPath(item.account.id, 'operators');

function keyOf(item: AttentionItem): string {
  const of = 'certificate' in item ? item.certificate.id : item.account.id;
  return [item.kind, of, 'mailId' in item ? item.mailId : ''].join(' ');
}
