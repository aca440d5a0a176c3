import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Ban, KeyRound, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import type { ApiKey } from '../../api/contract.ts';
import { apiKeysQuery, keys } from '../../api/queries.ts';
import { Confirmation } from '../../app/confirmation.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { DoneNotice, type Done } from '../../app/done-notice.tsx';
import { useMay } from '../../app/session.tsx';
import { ShortInstant } from '../../app/short-instant.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Empty } from '../../design/empty.tsx';
import { Table } from '../../design/table.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { accountTexts } from './account-texts.ts';
import { CertificateNames } from './certificate-names.tsx';
import { KeyState } from './key-state.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { NewSecret } from './new-secret.tsx';
import { apiKeyPath } from './paths.ts';
import { RotationDialog } from './rotation-dialog.tsx';
import { WhomToAsk } from './whom-to-ask.tsx';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    onlyAdministrators: 'Only administrators see and change the API keys.',
    intro: 'With a key, a signing service asks the gate for permission to sign.',
    make: 'Make an API key',
    name: 'Name',
    certificates: 'Certificates',
    all: 'All of the account',
    created: (zone: string) => `Created (${zone})`,
    used: (zone: string) => `Last used (${zone})`,
    unused: 'Not yet',
    state: 'State',
    rotate: 'New secret',
    rotateFor: (name: string) => `for ${name}`,
    revoke: 'Revoke',
    none: 'This account has no API key yet.',
    noneWhy: 'A signing service needs one before it can sign. Make one and give it its secret.',
    revokeTitle: (name: string) => `Revoke ${name}?`,
    revokeWhy: 'Signing services that use this key are refused at once, and sign nothing more.',
    revokeNext:
      'This cannot be undone. To let them sign again, make a new key and give it to them.',
    hidden: (name: string) => `${name} is ready. Its secret is not shown any more.`,
    oldWorks: (until: string) => `The old secret works until ${until}.`,
    oldEnded: 'The old secret works no more.',
    wasRevoked: (name: string) => `${name} is revoked. Whoever uses it is refused from now on.`,
  },
  'pt-PT': {
    onlyAdministrators: 'Só os administradores veem e alteram as chaves de API.',
    intro: 'Com uma chave, um serviço de assinatura pede ao gate permissão para assinar.',
    make: 'Criar chave de API',
    name: 'Nome',
    certificates: 'Certificados',
    all: 'Todos os da conta',
    created: (zone: string) => `Criada (${zone})`,
    used: (zone: string) => `Último uso (${zone})`,
    unused: 'Ainda não',
    state: 'Estado',
    rotate: 'Novo segredo',
    rotateFor: (name: string) => `para ${name}`,
    revoke: 'Revogar',
    none: 'Esta conta ainda não tem chaves de API.',
    noneWhy:
      'Um serviço de assinatura precisa de uma para poder assinar. Crie uma e dê-lhe o segredo.',
    revokeTitle: (name: string) => `Revogar ${name}?`,
    revokeWhy:
      'Os serviços de assinatura que usam esta chave são recusados de imediato e não assinam mais nada.',
    revokeNext:
      'Não é possível voltar atrás. Para voltarem a assinar, crie uma nova chave e entregue-lha.',
    hidden: (name: string) => `${name} está pronta. O seu segredo já não é mostrado.`,
    oldWorks: (until: string) => `O segredo antigo funciona até ${until}.`,
    oldEnded: 'O segredo antigo já não funciona.',
    wasRevoked: (name: string) => `${name} foi revogada. Quem a usar é recusado a partir de agora.`,
  },
});

type Made = {
  readonly name: string;
  readonly secret: string;
  readonly note?: string | undefined;
};

/** The keys of the account's signing services. For administrators; others are told whom to ask. */
export function ApiKeys(props: { readonly accountId: string; readonly timeZone: string }) {
  const t = useTexts(texts);
  const { parts } = useTexts(accountTexts);
  const may = useMay(props.accountId);
  return may('settings') ? (
    <KeyList {...props} />
  ) : (
    <Card title={parts['api-keys']}>
      <WhomToAsk accountId={props.accountId} title={t.onlyAdministrators} />
    </Card>
  );
}

function KeyList({
  accountId,
  timeZone,
}: {
  readonly accountId: string;
  readonly timeZone: string;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const { parts, actions } = useTexts(accountTexts);
  const client = useQueryClient();
  const query = useQuery(apiKeysQuery(accountId));
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<Made>();
  const [rotating, setRotating] = useState<ApiKey>();
  const [revoking, setRevoking] = useState<ApiKey>();
  const [done, setDone] = useState<Done>();
  const readAgain = (): void =>
    void client.invalidateQueries({ queryKey: keys.apiKeys(accountId) });
  const noteOf = ({ oldSecret }: ApiKey): string =>
    oldSecret === null ? t.oldEnded : t.oldWorks(formats.instant(oldSecret.endsAt, timeZone));
  // Another one would take the place of a secret that is shown only once.
  const make = made === undefined && (
    <Button
      look="primary"
      icon={<KeyRound size={18} aria-hidden="true" />}
      onClick={() => {
        setDone(undefined);
        setMaking(true);
      }}
    >
      {t.make}
    </Button>
  );

  return (
    <Card title={parts['api-keys']} aside={query.data?.length === 0 ? undefined : make}>
      <p className={styles.intro}>{t.intro}</p>
      <DoneNotice done={done} />
      {made !== undefined && (
        <NewSecret
          {...made}
          onKept={() => {
            setMade(undefined);
            const text = [t.hidden(made.name), made.note].filter(Boolean).join(' ');
            setDone({ text, takesFocus: true });
          }}
        />
      )}
      <Loaded query={query}>
        {(apiKeys) =>
          apiKeys.length === 0 ? (
            <Empty icon={<KeyRound size={32} aria-hidden="true" />} title={t.none} action={make}>
              <p>{t.noneWhy}</p>
            </Empty>
          ) : (
            <Table
              label={parts['api-keys']}
              columns={[
                { name: t.name },
                { name: t.certificates },
                { name: t.created(formats.zone(timeZone)) },
                { name: t.used(formats.zone(timeZone)) },
                { name: t.state },
                { name: actions, isActions: true },
              ]}
              rows={validFirst(apiKeys).map((apiKey) => ({
                key: apiKey.id,
                cells: [
                  <span key="name" className={styles.name}>
                    {apiKey.name}
                  </span>,
                  apiKey.certificateIds === null ? (
                    t.all
                  ) : (
                    <CertificateNames key="certificates" certificateIds={apiKey.certificateIds} />
                  ),
                  <ShortInstant key="created" at={apiKey.createdAt} timeZone={timeZone} />,
                  apiKey.lastUsedAt === null ? (
                    <span key="used" className={styles.soft}>
                      {t.unused}
                    </span>
                  ) : (
                    <ShortInstant key="used" at={apiKey.lastUsedAt} timeZone={timeZone} />
                  ),
                  <KeyState key="state" apiKey={apiKey} timeZone={timeZone} />,
                  apiKey.revokedAt === null && (
                    <span key="actions" className={styles.actions}>
                      {made === undefined && (
                        <Button
                          icon={<RefreshCw size={18} aria-hidden="true" />}
                          onClick={() => {
                            setDone(undefined);
                            setRotating(apiKey);
                          }}
                        >
                          {t.rotate}
                          <span className="visually-hidden"> {t.rotateFor(apiKey.name)}</span>
                        </Button>
                      )}
                      <Button
                        icon={<Ban size={18} aria-hidden="true" />}
                        onClick={() => {
                          setDone(undefined);
                          setRevoking(apiKey);
                        }}
                      >
                        {t.revoke}
                        <span className="visually-hidden"> {apiKey.name}</span>
                      </Button>
                    </span>
                  ),
                ],
              }))}
            />
          )
        }
      </Loaded>

      {isMaking && (
        <NewKeyDialog
          accountId={accountId}
          onClose={() => setMaking(false)}
          onDone={({ apiKey, secret }) => {
            setMaking(false);
            setMade({ name: apiKey.name, secret });
            readAgain();
          }}
        />
      )}
      {rotating !== undefined && (
        <RotationDialog
          accountId={accountId}
          apiKey={rotating}
          onClose={() => setRotating(undefined)}
          onDone={({ apiKey, secret }) => {
            setRotating(undefined);
            setMade({ name: apiKey.name, secret, note: noteOf(apiKey) });
            readAgain();
          }}
        />
      )}
      {revoking !== undefined && (
        <Confirmation
          title={t.revokeTitle(revoking.name)}
          confirm={t.revoke}
          icon={<Ban size={18} aria-hidden="true" />}
          run={() => call('DELETE', apiKeyPath(accountId, revoking.id))}
          onDone={() => {
            setRevoking(undefined);
            setDone({ text: t.wasRevoked(revoking.name), takesFocus: true });
            readAgain();
          }}
          onClose={() => setRevoking(undefined)}
        >
          <p>{t.revokeWhy}</p>
          <p>{t.revokeNext}</p>
        </Confirmation>
      )}
    </Card>
  );
}

const validFirst = (apiKeys: readonly ApiKey[]): readonly ApiKey[] =>
  apiKeys.toSorted((a, b) => Number(a.revokedAt !== null) - Number(b.revokedAt !== null));
