import { ArrowLeftRight, Building2 } from 'lucide-react';
import { useState } from 'react';
import { Link, Redirect } from 'wouter';
import { useSession } from '../../app/session.tsx';
import { Title } from '../../app/title.tsx';
import { Button } from '../../design/button.tsx';
import { Empty } from '../../design/empty.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { NotFoundScreen } from '../not-found-screen.tsx';
import { AccountChoice } from './account-choice.tsx';
import { accountTexts } from './account-texts.ts';
import { ApiKeys } from './api-keys.tsx';
import { Operators } from './operators.tsx';
import { partPath, parts, type Part } from './paths.ts';
import { Settings } from './settings.tsx';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: 'Account',
    parts: 'Parts of the account',
    change: 'Change account',
    none: 'You are not an operator of any account.',
    noneWhy: 'Ask an administrator of the account to invite you.',
  },
  'pt-PT': {
    title: 'Conta',
    parts: 'Partes da conta',
    change: 'Mudar de conta',
    none: 'Não é operador de nenhuma conta.',
    noneWhy: 'Peça a um administrador da conta que o convide.',
  },
});

/** An account's settings, operators and API keys. */
export default function AccountScreen({
  accountId,
  part = 'settings',
}: {
  readonly accountId: string | undefined;
  readonly part: string | undefined;
}) {
  const t = useTexts(texts);
  const { accounts } = useSession();
  const [first] = accounts;
  if (first === undefined) {
    return (
      <>
        <Title>{t.title}</Title>
        <Empty icon={<Building2 size={32} aria-hidden="true" />} title={t.none}>
          <p>{t.noneWhy}</p>
        </Empty>
      </>
    );
  }
  if (accountId === undefined) return <Redirect to={partPath(first.id, 'settings')} replace />;
  const account = accounts.find(({ id }) => id === accountId);
  const shown = parts.find((name) => name === part);
  if (account === undefined || shown === undefined) return <NotFoundScreen />;
  return <AccountParts key={account.id} account={account} part={shown} />;
}

type AccountOfOperator = ReturnType<typeof useSession>['accounts'][number];

function AccountParts({
  account: { id, name, timeZone },
  part,
}: {
  readonly account: AccountOfOperator;
  readonly part: Part;
}) {
  const t = useTexts(texts);
  const words = useTexts(accountTexts);
  const { accounts } = useSession();
  const [isChoosing, setChoosing] = useState(false);
  return (
    <>
      <Title
        tab={`${words.parts[part]} · ${name}`}
        aside={
          accounts.length > 1 && (
            <Button
              icon={<ArrowLeftRight size={18} aria-hidden="true" />}
              onClick={() => setChoosing(true)}
            >
              {t.change}
            </Button>
          )
        }
      >
        {name}
      </Title>
      <nav aria-label={t.parts} className={styles.tabs}>
        {parts.map((one) => (
          <Link
            key={one}
            href={partPath(id, one)}
            className={styles.tab}
            aria-current={one === part ? 'page' : undefined}
          >
            {words.parts[one]}
          </Link>
        ))}
      </nav>
      {part === 'settings' && <Settings accountId={id} />}
      {part === 'operators' && <Operators accountId={id} timeZone={timeZone} />}
      {part === 'api-keys' && <ApiKeys accountId={id} timeZone={timeZone} />}
      {isChoosing && <AccountChoice present={id} part={part} onClose={() => setChoosing(false)} />}
    </>
  );
}
