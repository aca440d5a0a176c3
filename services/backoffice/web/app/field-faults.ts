import { useRef, useState, type RefObject } from 'react';
import { flushSync } from 'react-dom';
import { ApiProblem } from '../api/client.ts';

type Faults<Field extends string, Fault extends string> = Partial<Readonly<Record<Field, Fault>>>;

/** What is wrong in a form, by field. Told after a try; the first field that is wrong then has the focus, and loses its fault when it is typed in. */
export function useFieldFaults<Field extends string, Fault extends string>(): {
  readonly form: RefObject<HTMLFormElement | null>;
  readonly faults: Faults<Field, Fault>;
  /** Answers whether there are any. */
  readonly tell: (faults: Faults<Field, Fault>) => boolean;
  readonly forget: (...fields: readonly Field[]) => void;
} {
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState<Faults<Field, Fault>>({});
  return {
    form,
    faults,
    tell(found) {
      // The attribute has to be there before it is looked for.
      flushSync(() => setFaults(found));
      form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
      return Object.values(found).some((fault) => fault !== undefined);
    },
    forget: (...fields) =>
      setFaults((before) => ({
        ...before,
        ...Object.fromEntries(fields.map((field) => [field, undefined])),
      })),
  };
}

/** The fields of a request that the API finds wanting, or that collide with what is there. */
export function refusedFields(error: unknown): readonly string[] {
  if (!(error instanceof ApiProblem)) return [];
  const { code, problem } = error;
  if (code === 'already_exists')
    return typeof problem.field === 'string' ? [problem.field] : [];
  const { faults } = problem as { readonly faults?: readonly { readonly path: string }[] };
  return (faults ?? []).map(({ path }) => path.replace(/^body\./, ''));
}
