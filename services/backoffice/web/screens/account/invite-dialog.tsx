import { useMutation, useQuery } from '@tanstack/react-query';
import { Send } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { OperatorOfAccount, Role } from '../../api/contract.ts';
import { accountQuery } from '../../api/queries.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { Button } from '../../design/button.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { SelectField, TextField } from '../../design/field.tsx';
import { languageNames, languages, nearestLanguage } from '../../language/languages.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { accountPath } from './paths.ts';
import { RoleChoice } from './role-choice.tsx';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: 'Invite an operator',
    intro: 'They get a mail with a link, choose a password, and are signed in.',
    email: 'E-mail address',
    name: 'Name',
    role: 'Role',
    language: 'Language',
    languageHint: 'Whoever is an operator of another account already keeps name and language.',
    submit: 'Send invitation',
    faults: {
      emailMissing: 'Write the e-mail address.',
      emailWrong: 'This is not an e-mail address.',
      emailTaken: 'Whoever has this address is an operator of this account already.',
      nameMissing: 'Write the name.',
      refused: 'The server does not accept this value.',
    },
  },
  'pt-PT': {
    title: 'Convidar operador',
    intro:
      'Recebe um e-mail com uma ligação, escolhe uma palavra-passe e fica com a sessão iniciada.',
    email: 'Endereço de e-mail',
    name: 'Nome',
    role: 'Papel',
    language: 'Idioma',
    languageHint: 'Quem já é operador de outra conta mantém o nome e o idioma.',
    submit: 'Enviar convite',
    faults: {
      emailMissing: 'Escreva o endereço de e-mail.',
      emailWrong: 'Isto não é um endereço de e-mail.',
      emailTaken: 'Quem tem este endereço já é operador desta conta.',
      nameMissing: 'Escreva o nome.',
      refused: 'O servidor não aceita este valor.',
    },
  },
});

export function InviteDialog({
  accountId,
  onDone,
  onClose,
}: {
  readonly accountId: string;
  readonly onDone: (operator: OperatorOfAccount) => void;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const account = useQuery(accountQuery(accountId));
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('operator');
  const [chosenLocale, setLocale] = useState<string>();
  const locale = chosenLocale ?? nearestLanguage([account.data?.locale ?? 'pt-PT']);
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['email', 'name'] as const,
    t.faults,
  );
  const first = useRef<HTMLInputElement>(null);
  // After the dialog has opened, which gives the focus to its title.
  useEffect(() => first.current?.focus(), []);

  const invite = useMutation({
    mutationFn: () =>
      call<{ operator: OperatorOfAccount }>('POST', `${accountPath(accountId)}/operators`, {
        body: { email: email.trim(), name: name.trim(), role, locale },
      }),
    onSuccess: ({ operator }) => onDone(operator),
    onError: (error) =>
      tellRefusal(error, isProblem(error, 'already_exists') ? 'emailTaken' : 'refused'),
  });
  const close = (): void => {
    if (!invite.isPending) onClose();
  };
  const submit = (): void => {
    if (invite.isPending) return;
    const isWrong = tell({
      ...(email.trim() === ''
        ? { email: 'emailMissing' }
        : first.current?.validity.valid === false && { email: 'emailWrong' }),
      ...(name.trim() === '' && { name: 'nameMissing' }),
    });
    if (!isWrong) invite.mutate();
  };
  return (
    <Dialog title={t.title} onClose={close}>
      <p>{t.intro}</p>
      <form
        ref={form}
        noValidate
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          ref={first}
          label={t.email}
          type="email"
          autoComplete="off"
          maxLength={254}
          required
          value={email}
          error={errorOf('email')}
          onChange={({ target }) => {
            setEmail(target.value);
            forget('email');
          }}
        />
        <TextField
          label={t.name}
          autoComplete="off"
          maxLength={200}
          required
          value={name}
          error={errorOf('name')}
          onChange={({ target }) => {
            setName(target.value);
            forget('name');
          }}
        />
        <RoleChoice label={t.role} chosen={role} onChoose={setRole} />
        <SelectField
          label={t.language}
          hint={t.languageHint}
          value={locale}
          options={languages.map((language) => [language, languageNames[language]] as const)}
          onChange={({ target }) => setLocale(target.value)}
        />
        {invite.error !== null && !isAtFields(invite.error) && <FaultNotice error={invite.error} />}
        <DialogActions>
          <Button
            type="submit"
            look="primary"
            icon={<Send size={18} aria-hidden="true" />}
            busy={invite.isPending}
          >
            {t.submit}
          </Button>
          <Button onClick={close}>{w.cancel}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
