import { useMutation } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import type { ApiKey } from '../../api/contract.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { Button } from '../../design/button.tsx';
import { OneOf } from '../../design/choice.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { apiKeyPath } from './paths.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: (name: string) => `A new secret for ${name}`,
    same: 'The key stays the same, with its name and its certificates. While the old secret works too, its signing services can be given the new one without stopping.',
    earlier:
      'A secret that was replaced before still works. It ends when it was to end, or sooner if you choose so here.',
    overlap: 'The old secret',
    works: (span: string) => `Works for ${span} more`,
    ends: 'Ends at once',
    endsNote:
      'If somebody else may know it. Services that use it sign nothing until they have the new one.',
    submit: 'Make the new secret',
  },
  'pt-PT': {
    title: (name: string) => `Novo segredo para ${name}`,
    same: 'A chave continua a mesma, com o seu nome e os seus certificados. Enquanto o segredo antigo também funcionar, é possível dar o novo aos serviços de assinatura sem os parar.',
    earlier:
      'Um segredo substituído antes ainda funciona. Termina quando estava previsto, ou mais cedo se assim o escolher aqui.',
    overlap: 'O segredo antigo',
    works: (span: string) => `Funciona por mais ${span}`,
    ends: 'Termina de imediato',
    endsNote:
      'Se mais alguém o puder conhecer. Os serviços que o usam não assinam nada até terem o novo.',
    submit: 'Criar o novo segredo',
  },
});

const overlaps = ['1', '24', '168', '0'] as const;
const hourMs = 3_600_000;

type Rotated = { readonly apiKey: ApiKey; readonly secret: string };

/** Asks how long the old secret goes on, and makes the new one. */
export function RotationDialog({
  accountId,
  apiKey,
  onDone,
  onClose,
}: {
  readonly accountId: string;
  readonly apiKey: ApiKey;
  readonly onDone: (rotated: Rotated) => void;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const formats = useFormats();
  const [overlap, setOverlap] = useState<(typeof overlaps)[number]>('24');
  const rotate = useMutation({
    mutationFn: () =>
      call<Rotated>('POST', `${apiKeyPath(accountId, apiKey.id)}/rotation`, {
        body: { overlapHours: Number(overlap) },
      }),
    onSuccess: onDone,
    // The secret is not kept longer than it is shown.
    gcTime: 0,
  });
  const close = (): void => {
    if (!rotate.isPending) onClose();
  };
  return (
    <Dialog title={t.title(apiKey.name)} onClose={close}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!rotate.isPending) rotate.mutate();
        }}
      >
        <p>{t.same}</p>
        {apiKey.oldSecret !== null && <p>{t.earlier}</p>}
        <OneOf
          label={t.overlap}
          options={overlaps.map((value) =>
            value === '0'
              ? { value, text: t.ends, note: t.endsNote }
              : { value, text: t.works(formats.span(Number(value) * hourMs)) },
          )}
          chosen={overlap}
          onChoose={setOverlap}
        />
        {rotate.error !== null && <FaultNotice error={rotate.error} />}
        <DialogActions>
          <Button
            type="submit"
            look="primary"
            icon={<RefreshCw size={18} aria-hidden="true" />}
            busy={rotate.isPending}
          >
            {t.submit}
          </Button>
          <Button onClick={close}>{w.cancel}</Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
