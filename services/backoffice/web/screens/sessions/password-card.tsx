import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { leastPasswordLength } from '../../../../../domain/passwords.ts';
import { call, isProblem } from '../../api/client.ts';
import { DoneNotice, type Done } from '../../app/done-notice.tsx';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { useSession } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { TextField } from '../../design/field.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import {
  faultOfNewPassword,
  NewPasswordField,
  newPasswordFaults,
} from '../entrance/new-password-field.tsx';
import styles from './sessions.module.css';

const texts = defineTexts({
  en: {
    title: 'Password',
    intro: 'With another password all your other sessions end. This one goes on.',
    present: 'Present password',
    chosen: 'New password',
    submit: 'Change the password',
    changed: 'Your password was changed. All other sessions have ended.',
    presentMissing: 'Type the password that you sign in with now.',
    presentWrong: 'This is not your present password.',
  },
  'pt-PT': {
    title: 'Palavra-passe',
    intro: 'Com outra palavra-passe terminam todas as suas outras sessões. Esta continua.',
    present: 'Palavra-passe atual',
    chosen: 'Nova palavra-passe',
    submit: 'Alterar a palavra-passe',
    changed: 'A sua palavra-passe foi alterada. Todas as outras sessões terminaram.',
    presentMissing: 'Escreva a palavra-passe com que inicia sessão agora.',
    presentWrong: 'Esta não é a sua palavra-passe atual.',
  },
});

/** Another password for whoever is signed in and knows the present one. */
export function PasswordCard({ onChanged }: { readonly onChanged: () => void }) {
  const t = useTexts(texts);
  const { operator } = useSession();
  const [presentPassword, setPresent] = useState('');
  const [newPassword, setNew] = useState('');
  const [done, setDone] = useState<Done>();
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['presentPassword', 'newPassword'] as const,
    {
      ...useTexts(newPasswordFaults),
      presentMissing: t.presentMissing,
      presentWrong: t.presentWrong,
    },
  );
  const isPresentWrong = (error: unknown): boolean => isProblem(error, 'present_password_wrong');
  const change = useMutation({
    mutationFn: () => call('PUT', '/api/me/password', { body: { presentPassword, newPassword } }),
    onMutate: () => setDone(undefined),
    onSuccess() {
      setPresent('');
      setNew('');
      setDone({ text: t.changed });
      onChanged();
    },
    onError(error) {
      if (isPresentWrong(error)) tell({ presentPassword: 'presentWrong' });
      else tellRefusal(error, 'refused');
    },
    gcTime: 0,
  });
  const submit = (): void => {
    if (change.isPending) return;
    const newFault = faultOfNewPassword(newPassword, leastPasswordLength);
    const hasFaults = tell({
      ...(presentPassword === '' && { presentPassword: 'presentMissing' }),
      ...(newFault !== undefined && { newPassword: newFault }),
    });
    if (!hasFaults) change.mutate();
  };
  const isTold = isPresentWrong(change.error) || isAtFields(change.error);
  return (
    <Card title={t.title}>
      <p className={styles.intro}>{t.intro}</p>
      <DoneNotice done={done} />
      <form
        ref={form}
        noValidate
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {/* For password managers: whose password it is. */}
        <input
          type="email"
          name="email"
          autoComplete="username"
          hidden
          readOnly
          value={operator.email}
        />
        <TextField
          label={t.present}
          type="password"
          name="present-password"
          autoComplete="current-password"
          required
          value={presentPassword}
          error={errorOf('presentPassword')}
          onChange={({ target }) => {
            setPresent(target.value);
            forget('presentPassword');
          }}
        />
        <NewPasswordField
          label={t.chosen}
          least={leastPasswordLength}
          value={newPassword}
          error={errorOf('newPassword')}
          onChange={(value) => {
            setNew(value);
            forget('newPassword');
          }}
        />
        {change.error !== null && !isTold && <FaultNotice error={change.error} />}
        <Button type="submit" busy={change.isPending}>
          {t.submit}
        </Button>
      </form>
    </Card>
  );
}
