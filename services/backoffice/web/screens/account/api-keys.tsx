import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Ban, CircleCheck, KeyRound } from 'lucide-react';
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
import { Status } from '../../design/status.tsx';
import { Table } from '../../design/table.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { accountTexts } from './account-texts.ts';
import { CertificateNames } from './certificate-names.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { NewSecret } from './new-secret.tsx';
import { accountPath } from './paths.ts';
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
    state: 'State',
    valid: 'Valid',
    revoked: 'Revoked',
    revoke: 'Revoke',
    none: 'This account has no API key yet.',
    noneWhy: 'A signing service needs one before it can sign. Make one and give it its secret.',
    revokeTitle: (name: string) => `Revoke ${name}?`,
    revokeWhy: 'Signing services that use this key are refused at once, and sign nothing more.',
    revokeNext:
      'This cannot be undone. To let them sign again, make a new key and give it to them.',
    hidden: (name: string) => `${name} is ready. Its secret is not shown any more.`,
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
    state: 'Estado',
    valid: 'Válida',
    revoked: 'Revogada',
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
    wasRevoked: (name: string) => `${name} foi revogada. Quem a usar é recusado a partir de agora.`,
  },
});

type Made = { readonly name: string; readonly secret: string };

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
  const [revoking, setRevoking] = useState<ApiKey>();
  const [done, setDone] = useState<Done>();
  const readAgain = (): void =>
    void client.invalidateQueries({ queryKey: keys.apiKeys(accountId) });
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
            setDone({ text: t.hidden(made.name), takesFocus: true });
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
                  <KeyState key="state" apiKey={apiKey} timeZone={timeZone} />,
                  apiKey.revokedAt === null && (
                    <Button
                      key="revoke"
                      icon={<Ban size={18} aria-hidden="true" />}
                      onClick={() => {
                        setDone(undefined);
                        setRevoking(apiKey);
                      }}
                    >
                      {t.revoke}
                      <span className="visually-hidden"> {apiKey.name}</span>
                    </Button>
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
      {revoking !== undefined && (
        <Confirmation
          title={t.revokeTitle(revoking.name)}
          confirm={t.revoke}
          icon={<Ban size={18} aria-hidden="true" />}
          run={() =>
            call('DELETE', `${accountPath(accountId)}/api-keys/${encodeURIComponent(revoking.id)}`)
          }
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

function KeyState({
  apiKey: { revokedAt },
  timeZone,
}: {
  readonly apiKey: ApiKey;
  readonly timeZone: string;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  return revokedAt === null ? (
    <Status tone="good" icon={<CircleCheck size={16} aria-hidden="true" />}>
      {t.valid}
    </Status>
  ) : (
    <span className={styles.state}>
      <Status tone="still" icon={<Ban size={16} aria-hidden="true" />}>
        {t.revoked}
      </Status>
      <time dateTime={revokedAt} className={styles.soft}>
        {formats.shortInstant(revokedAt, timeZone)}
      </time>
    </span>
  );
}
