import { useQuery } from '@tanstack/react-query';
import { ShieldUser } from 'lucide-react';
import { accountQuery } from '../../api/queries.ts';
import { Loaded } from '../../app/loaded.tsx';
import { Empty } from '../../design/empty.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';

const texts = defineTexts({
  en: {
    ask: (names: string) => `Ask ${names}.`,
    nobody: 'This account has no administrator. Ask the platform’s engineers.',
  },
  'pt-PT': {
    ask: (names: string) => `Peça a ${names}.`,
    nobody: 'Esta conta não tem administrador. Peça aos engenheiros da plataforma.',
  },
});

/** The administrators of an account by name, for whoever may not do something there. */
export function useWhomToAsk(): (administrators: readonly string[]) => string {
  const t = useTexts(texts);
  const formats = useFormats();
  return (names) => (names.length === 0 ? t.nobody : t.ask(formats.anyOf(names)));
}

/** In place of what is for administrators only. */
export function WhomToAsk({
  accountId,
  title,
}: {
  readonly accountId: string;
  readonly title: string;
}) {
  const whomToAsk = useWhomToAsk();
  return (
    <Loaded query={useQuery(accountQuery(accountId))}>
      {({ administrators }) => (
        <Empty icon={<ShieldUser size={32} aria-hidden="true" />} title={title}>
          <p>{whomToAsk(administrators)}</p>
        </Empty>
      )}
    </Loaded>
  );
}
