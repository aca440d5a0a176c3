import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Send, Trash2, UserCog, UserPlus } from 'lucide-react';
import { useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { OperatorOfAccount } from '../../api/contract.ts';
import { keys, operatorsQuery } from '../../api/queries.ts';
import { Confirmation } from '../../app/confirmation.tsx';
import { FaultNotice } from '../../app/fault.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { DoneNotice, type Done } from '../../app/done-notice.tsx';
import { useMay, useSession } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Notice } from '../../design/notice.tsx';
import { Table } from '../../design/table.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { accountTexts } from './account-texts.ts';
import { InvitationState } from './invitation-state.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { operatorPath } from './paths.ts';
import { RoleDialog } from './role-dialog.tsx';
import { WhomToAsk } from './whom-to-ask.tsx';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    onlyAdministrators: 'Only administrators see and change the operators.',
    intro: 'Who gets the mails about this account’s certificates, and may act on them.',
    invite: 'Invite an operator',
    person: 'Operator',
    you: 'you',
    role: 'Role',
    access: 'Sign-in',
    changeRole: 'Change role',
    remove: 'Remove',
    sendAgain: 'Invite again',
    sentJustNow: 'An invitation was sent a moment ago.',
    waitToSend: (seconds: string) => `Another can be sent in ${seconds}.`,
    invited: (email: string) => `An invitation is on its way to ${email}.`,
    added: (name: string) => `${name} is an operator of this account now, and is told by mail.`,
    roleChanged: (name: string, role: string) => `${name} has the role ${role} now.`,
    removed: (name: string) => `${name} is not an operator of this account any more.`,
    removeTitle: (name: string) => `Remove ${name}?`,
    removeWhy: (name: string) =>
      `${name} gets no more mails about this account and cannot see it or act on it. If this was their only account, they are signed out.`,
    removeKeeps: 'What they did stays in the timelines. They can be invited again.',
    removeYou:
      'This is you: you do not see this account any more, and are signed out if it is your only one. Another administrator would have to invite you again.',
  },
  'pt-PT': {
    onlyAdministrators: 'Só os administradores veem e alteram os operadores.',
    intro: 'Quem recebe os e-mails sobre os certificados desta conta e pode agir sobre eles.',
    invite: 'Convidar operador',
    person: 'Operador',
    you: 'você',
    role: 'Papel',
    access: 'Início de sessão',
    changeRole: 'Mudar papel',
    remove: 'Remover',
    sendAgain: 'Convidar de novo',
    sentJustNow: 'Foi enviado um convite há momentos.',
    waitToSend: (seconds: string) => `Pode enviar outro dentro de ${seconds}.`,
    invited: (email: string) => `Um convite vai a caminho de ${email}.`,
    added: (name: string) => `${name} já faz parte desta conta e será avisado por e-mail.`,
    roleChanged: (name: string, role: string) => `${name} tem agora o papel de ${role}.`,
    removed: (name: string) => `${name} já não faz parte desta conta.`,
    removeTitle: (name: string) => `Remover ${name}?`,
    removeWhy: (name: string) =>
      `${name} deixa de receber e-mails sobre esta conta e de a poder ver ou agir sobre ela. Se esta era a sua única conta, a sessão termina.`,
    removeKeeps: 'O que fez continua nas cronologias. Pode ser convidado de novo.',
    removeYou:
      'Trata-se de si: deixa de ver esta conta e, se for a sua única, a sua sessão termina. Outro administrador teria de o convidar de novo.',
  },
});

type Doing =
  | { readonly kind: 'invite' }
  | { readonly kind: 'role' | 'remove'; readonly operator: OperatorOfAccount };

/** Who is an operator of the account. For administrators; others are told whom to ask. */
export function Operators(props: { readonly accountId: string; readonly timeZone: string }) {
  const t = useTexts(texts);
  const { parts } = useTexts(accountTexts);
  const may = useMay(props.accountId);
  return may('settings') ? (
    <OperatorList {...props} />
  ) : (
    <Card title={parts.operators}>
      <WhomToAsk accountId={props.accountId} title={t.onlyAdministrators} />
    </Card>
  );
}

function OperatorList({
  accountId,
  timeZone,
}: {
  readonly accountId: string;
  readonly timeZone: string;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const { parts, actions } = useTexts(accountTexts);
  const client = useQueryClient();
  const query = useQuery(operatorsQuery(accountId));
  const me = useSession().operator.id;
  const [doing, setDoing] = useState<Doing>();
  const [done, setDone] = useState<Done>();

  const sendAgain = useMutation({
    mutationFn: ({ id }: OperatorOfAccount) =>
      call<{ operator: OperatorOfAccount }>('POST', `${operatorPath(accountId, id)}/invitation`),
    onMutate: () => setDone(undefined),
    onSuccess: ({ operator }) => finish({ text: t.invited(operator.email) }),
    // Accepted meanwhile, or sent by a colleague: the list tells.
    onError: () => void query.refetch(),
  });
  const begin = (next: Doing): void => {
    setDone(undefined);
    sendAgain.reset();
    setDoing(next);
  };
  const close = (): void => setDoing(undefined);
  const finish = (said: Done, operatorId?: string): void => {
    setDoing(undefined);
    setDone(said);
    // What I may do has changed with my own role.
    if (operatorId === me) void client.invalidateQueries();
    else void client.invalidateQueries({ queryKey: keys.account(accountId) });
  };

  return (
    <Card
      title={parts.operators}
      aside={
        <Button
          look="primary"
          icon={<UserPlus size={18} aria-hidden="true" />}
          onClick={() => begin({ kind: 'invite' })}
        >
          {t.invite}
        </Button>
      }
    >
      <p className={styles.intro}>{t.intro}</p>
      <DoneNotice done={done} />
      {sendAgain.error !== null && <SendAgainFault error={sendAgain.error} />}
      <Loaded query={query}>
        {(operators) => (
          <Table
            label={parts.operators}
            columns={[
              { name: t.person },
              { name: t.role },
              { name: t.access },
              { name: actions, isActions: true },
            ]}
            rows={operators.map((operator) => ({
              key: operator.id,
              cells: [
                <Person key="person" operator={operator} isMe={operator.id === me} />,
                w.role[operator.role],
                <InvitationState
                  key="invitation"
                  invitation={operator.invitation}
                  timeZone={timeZone}
                  action={
                    <Button
                      small
                      icon={<Send size={16} aria-hidden="true" />}
                      busy={sendAgain.isPending && sendAgain.variables.id === operator.id}
                      onClick={() => !sendAgain.isPending && sendAgain.mutate(operator)}
                    >
                      {t.sendAgain}
                      <span className="visually-hidden"> {operator.name}</span>
                    </Button>
                  }
                />,
                <Actions key="actions" operator={operator} onBegin={begin} />,
              ],
            }))}
          />
        )}
      </Loaded>

      {doing?.kind === 'invite' && (
        <InviteDialog
          accountId={accountId}
          onClose={close}
          onDone={({ name, email, invitation }) =>
            finish({ text: invitation === null ? t.added(name) : t.invited(email) })
          }
        />
      )}
      {doing?.kind === 'role' && (
        <RoleDialog
          accountId={accountId}
          operator={doing.operator}
          onClose={close}
          onDone={({ id, name, role }) => finish({ text: t.roleChanged(name, w.role[role]) }, id)}
        />
      )}
      {doing?.kind === 'remove' && (
        <Confirmation
          title={t.removeTitle(doing.operator.name)}
          confirm={t.remove}
          icon={<Trash2 size={18} aria-hidden="true" />}
          run={() => call('DELETE', operatorPath(accountId, doing.operator.id))}
          onDone={() =>
            finish({ text: t.removed(doing.operator.name), takesFocus: true }, doing.operator.id)
          }
          onClose={close}
        >
          <p>{doing.operator.id === me ? t.removeYou : t.removeWhy(doing.operator.name)}</p>
          <p>{t.removeKeeps}</p>
        </Confirmation>
      )}
    </Card>
  );
}

function Person({
  operator: { name, email },
  isMe,
}: {
  readonly operator: OperatorOfAccount;
  readonly isMe: boolean;
}) {
  const t = useTexts(texts);
  return (
    <span className={styles.person}>
      <span className={styles.name}>
        {name}
        {isMe && <span className={styles.soft}> ({t.you})</span>}
      </span>
      <span className={styles.soft}>{email}</span>
    </span>
  );
}

function Actions({
  operator,
  onBegin,
}: {
  readonly operator: OperatorOfAccount;
  readonly onBegin: (doing: Doing) => void;
}) {
  const t = useTexts(texts);
  const whose = <span className="visually-hidden"> {operator.name}</span>;
  return (
    <>
      <Button
        icon={<UserCog size={18} aria-hidden="true" />}
        onClick={() => onBegin({ kind: 'role', operator })}
      >
        {t.changeRole}
        {whose}
      </Button>
      <Button
        icon={<Trash2 size={18} aria-hidden="true" />}
        onClick={() => onBegin({ kind: 'remove', operator })}
      >
        {t.remove}
        {whose}
      </Button>
    </>
  );
}

/** How long to wait, where the server says so. */
function SendAgainFault({ error }: { readonly error: unknown }) {
  const t = useTexts(texts);
  const formats = useFormats();
  const seconds = isProblem(error, 'too_many_requests') && error.problem.retryAfterSeconds;
  if (typeof seconds !== 'number') return <FaultNotice error={error} />;
  return (
    <Notice tone="warn" announce="alert" title={t.sentJustNow}>
      <p>{t.waitToSend(formats.wait(seconds))}</p>
    </Notice>
  );
}
