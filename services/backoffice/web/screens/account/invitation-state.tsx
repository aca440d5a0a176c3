import { CircleCheck, CircleX, Clock, Hourglass, MailCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import type { OperatorOfAccount } from '../../api/contract.ts';
import { Status } from '../../design/status.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    can: 'Can sign in',
    waiting: 'Invitation being sent',
    sent: 'Invited',
    until: (instant: string) => `Valid until ${instant}`,
    refused: 'Mail not accepted',
    refusedWhy: 'Check the address. To correct it, remove and invite anew.',
    ended: 'Invitation ended',
    endedAt: (instant: string) => `On ${instant}`,
  },
  'pt-PT': {
    can: 'Pode iniciar sessão',
    waiting: 'Convite a ser enviado',
    sent: 'Convidado',
    until: (instant: string) => `Válido até ${instant}`,
    refused: 'E-mail não aceite',
    refusedWhy: 'Verifique o endereço. Para o corrigir, remova e convide de novo.',
    ended: 'Convite terminado',
    endedAt: (instant: string) => `Em ${instant}`,
  },
});

/** Whether an operator can sign in, or how far the invitation has come. */
export function InvitationState({
  invitation,
  timeZone,
  action,
}: {
  readonly invitation: OperatorOfAccount['invitation'];
  readonly timeZone: string;
  /** To send another one, where one was sent. */
  readonly action: ReactNode;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  if (invitation === null) {
    return (
      <Status tone="good" icon={<CircleCheck size={16} aria-hidden="true" />}>
        {t.can}
      </Status>
    );
  }
  const { state, expiresAt } = invitation;
  const expires = formats.shortInstant(expiresAt, timeZone);
  const [tone, Icon, note] = {
    waiting: ['accent', Hourglass, undefined] as const,
    sent: ['accent', MailCheck, t.until(expires)] as const,
    refused: ['bad', CircleX, t.refusedWhy] as const,
    ended: ['warn', Clock, t.endedAt(expires)] as const,
  }[state];
  return (
    <span className={styles.state}>
      <Status tone={tone} icon={<Icon size={16} aria-hidden="true" />}>
        {t[state]}
      </Status>
      {note !== undefined && <span className={styles.soft}>{note}</span>}
      {state !== 'waiting' && action}
    </span>
  );
}
