import { ApiProblem, isProblem, Unanswered } from '../api/client.ts';
import { Button } from '../design/button.tsx';
import { Notice } from '../design/notice.tsx';
import { useFormats } from '../language/language.tsx';
import { problemTexts } from '../language/problem-texts.ts';
import { defineTexts, useTexts, wordOf } from '../language/texts.ts';
import { words } from '../language/words.ts';

const texts = defineTexts({
  en: {
    offline: [
      'You are offline.',
      'Nothing was changed, and nothing is repeated by itself. What you see is read again when the network is back.',
    ],
    unanswered: [
      'The server did not answer.',
      'What you had here is not lost. Look at the state before you do something again.',
    ],
    reference: (id: string) => `Reference: ${id}`,
    again: (wait: string) => `Wait ${wait}, then try again.`,
  },
  'pt-PT': {
    offline: [
      'Está sem ligação à rede.',
      'Nada foi alterado e nada é repetido automaticamente. O que vê é lido de novo quando a rede voltar.',
    ],
    unanswered: [
      'O servidor não respondeu.',
      'O que tinha aqui não se perdeu. Veja o estado antes de repetir algo.',
    ],
    reference: (id: string) => `Referência: ${id}`,
    again: (wait: string) => `Espere ${wait} e tente outra vez.`,
  },
});

/** What went wrong in words: what happened and what was not affected, what to do, and the reference for the platform engineers. */
function useFault(error: unknown): {
  readonly sentence: string;
  readonly whatToDo: string;
  readonly reference: string | undefined;
} {
  const own = useTexts(texts);
  const formats = useFormats();
  const problems = useTexts(problemTexts);
  if (error instanceof ApiProblem) {
    // A code of a newer server than this page: its own words are better than none.
    const { code, title, detail, status, instance, retryAfterSeconds } = error.problem;
    const [sentence, whatToDo] = wordOf(problems, code) ?? [title, detail];
    // A refusal explains itself; only a fault is for somebody else to look up.
    const next =
      code === 'too_many_requests' && typeof retryAfterSeconds === 'number'
        ? own.again(formats.wait(retryAfterSeconds))
        : whatToDo;
    return { sentence, whatToDo: next, reference: status >= 500 ? instance : undefined };
  }
  const isOffline = error instanceof Unanswered && error.isOffline;
  const [sentence = '', whatToDo = ''] = isOffline ? own.offline : own.unanswered;
  return { sentence, whatToDo, reference: undefined };
}

/** A fault where it happened. */
export function FaultNotice({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
}) {
  const { sentence, whatToDo, reference } = useFault(error);
  const own = useTexts(texts);
  const { tryAgain } = useTexts(words);
  // Signing in is offered over the whole page already.
  if (isProblem(error, 'session_required')) return null;
  return (
    <Notice
      tone="bad"
      announce="alert"
      title={sentence}
      actions={onRetry && <Button onClick={onRetry}>{tryAgain}</Button>}
    >
      <p>{whatToDo}</p>
      {reference !== undefined && <p>{own.reference(reference)}</p>}
    </Notice>
  );
}
