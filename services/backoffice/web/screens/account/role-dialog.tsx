import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import type { OperatorOfAccount, Role } from '../../api/contract.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useSession } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { Notice } from '../../design/notice.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { operatorPath } from './paths.ts';
import { RoleChoice } from './role-choice.tsx';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: (name: string) => `Role of ${name}`,
    role: 'Role',
    submit: 'Change role',
    yours: 'This is your own role: another administrator would have to give it back to you.',
  },
  'pt-PT': {
    title: (name: string) => `Papel de ${name}`,
    role: 'Papel',
    submit: 'Mudar papel',
    yours: 'Este é o seu próprio papel: só outro administrador lho pode devolver.',
  },
});

export function RoleDialog({
  accountId,
  operator,
  onDone,
  onClose,
}: {
  readonly accountId: string;
  readonly operator: OperatorOfAccount;
  readonly onDone: (operator: Pick<OperatorOfAccount, 'id' | 'name' | 'role'>) => void;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const me = useSession().operator.id;
  const [role, setRole] = useState(operator.role);
  const change = useMutation({
    mutationFn: () =>
      call<{ role: Role }>('PATCH', operatorPath(accountId, operator.id), { body: { role } }),
    onSuccess: () => onDone({ ...operator, role }),
  });
  const close = (): void => {
    if (!change.isPending) onClose();
  };
  const isGivenUp = operator.id === me && operator.role === 'admin' && role !== 'admin';
  return (
    <Dialog title={t.title(operator.name)} onClose={close}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (role === operator.role) close();
          else if (!change.isPending) change.mutate();
        }}
      >
        <RoleChoice label={t.role} chosen={role} onChoose={setRole} />
        {isGivenUp && (
          <Notice tone="warn" announce="status">
            <p>{t.yours}</p>
          </Notice>
        )}
        {change.error !== null && <FaultNotice error={change.error} />}
        <DialogActions>
          <Button type="submit" look="primary" busy={change.isPending}>
            {t.submit}
          </Button>
          <Button onClick={close}>{w.cancel}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
