import { useMutation } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { ApiKey } from '../../api/contract.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { Button } from '../../design/button.tsx';
import { OneOf } from '../../design/choice.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { TextField } from '../../design/field.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { CertificateChoice, type NamedCertificate } from './certificate-choice.tsx';
import { accountPath } from './paths.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: 'Make an API key',
    name: 'Name',
    nameHint:
      'Of the signing service that will use it, so that it is known what stops when it is revoked.',
    scope: 'It may sign with',
    all: 'All certificates of the account',
    allNote: 'Those that are added later too.',
    chosen: 'Chosen certificates only',
    submit: 'Make the key',
    faults: {
      nameMissing: 'Write a name.',
      nameTaken: 'There is a valid key with this name.',
      noneChosen: 'Choose at least one certificate, or all.',
      refused: 'The server does not accept this value.',
    },
  },
  'pt-PT': {
    title: 'Criar chave de API',
    name: 'Nome',
    nameHint:
      'Do serviço de assinatura que a vai usar, para se saber o que para quando for revogada.',
    scope: 'Pode assinar com',
    all: 'Todos os certificados da conta',
    allNote: 'Também os que forem acrescentados depois.',
    chosen: 'Só os certificados escolhidos',
    submit: 'Criar a chave',
    faults: {
      nameMissing: 'Escreva um nome.',
      nameTaken: 'Já existe uma chave válida com este nome.',
      noneChosen: 'Escolha pelo menos um certificado, ou todos.',
      refused: 'O servidor não aceita este valor.',
    },
  },
});

type NewKey = { readonly apiKey: ApiKey; readonly secret: string };

export function NewKeyDialog({
  accountId,
  onDone,
  onClose,
}: {
  readonly accountId: string;
  readonly onDone: (made: NewKey) => void;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const [name, setName] = useState('');
  const [scope, setScope] = useState<'all' | 'chosen'>('all');
  const [chosen, setChosen] = useState<readonly NamedCertificate[]>([]);
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(
    ['name', 'certificateIds'] as const,
    t.faults,
  );
  const first = useRef<HTMLInputElement>(null);
  // After the dialog has opened, which gives the focus to its title.
  useEffect(() => first.current?.focus(), []);

  const make = useMutation({
    mutationFn: () =>
      call<NewKey>('POST', `${accountPath(accountId)}/api-keys`, {
        body: {
          name: name.trim(),
          ...(scope === 'chosen' && { certificateIds: chosen.map(({ id }) => id) }),
        },
      }),
    onSuccess: onDone,
    onError: (error) =>
      tellRefusal(error, isProblem(error, 'already_exists') ? 'nameTaken' : 'refused'),
    // The secret is not kept longer than it is shown.
    gcTime: 0,
  });
  const close = (): void => {
    if (!make.isPending) onClose();
  };
  const submit = (): void => {
    if (make.isPending) return;
    const isWrong = tell({
      ...(name.trim() === '' && { name: 'nameMissing' }),
      ...(scope === 'chosen' && chosen.length === 0 && { certificateIds: 'noneChosen' }),
    });
    if (!isWrong) make.mutate();
  };
  return (
    <Dialog title={t.title} onClose={close}>
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
          label={t.name}
          hint={t.nameHint}
          autoComplete="off"
          maxLength={100}
          required
          value={name}
          error={errorOf('name')}
          onChange={({ target }) => {
            setName(target.value);
            forget('name');
          }}
        />
        <OneOf
          label={t.scope}
          options={[
            { value: 'all', text: t.all, note: t.allNote },
            { value: 'chosen', text: t.chosen },
          ]}
          chosen={scope}
          onChoose={(next) => {
            setScope(next);
            forget('certificateIds');
          }}
        />
        {scope === 'chosen' && (
          <CertificateChoice
            accountId={accountId}
            chosen={chosen}
            error={errorOf('certificateIds')}
            onChoose={(next) => {
              setChosen(next);
              forget('certificateIds');
            }}
          />
        )}
        {make.error !== null && !isAtFields(make.error) && <FaultNotice error={make.error} />}
        <DialogActions>
          <Button
            type="submit"
            look="primary"
            icon={<KeyRound size={18} aria-hidden="true" />}
            busy={make.isPending}
          >
            {t.submit}
          </Button>
          <Button onClick={close}>{w.cancel}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
