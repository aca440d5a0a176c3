import { useRef, useState, type RefObject } from 'react';
import { flushSync } from 'react-dom';
import { ApiProblem } from '../api/client.ts';

type Faults<Field extends string, Fault extends string> = Partial<Readonly<Record<Field, Fault>>>;

type FieldFaults<Field extends string, Fault extends string> = {
  readonly form: RefObject<HTMLFormElement | null>;
  /** What is shown at a field. */
  readonly errorOf: (field: Field) => string | undefined;
  /** Answers whether there are any. */
  readonly tell: (faults: Faults<Field, Fault>) => boolean;
  /** What the API found wanting, at the fields that it names. */
  readonly tellRefusal: (error: unknown, fault: Fault) => void;
  /** Whether that is told at the fields, and needs no notice of its own. */
  readonly isAtFields: (error: unknown) => boolean;
  readonly forget: (...fields: readonly Field[]) => void;
};

/** What is wrong in a form, by field. Told after a try; the first field that is wrong then has the focus, and loses its fault when it is typed in. */
export function useFieldFaults<Field extends string, Fault extends string>(
  fields: readonly Field[],
  texts: Readonly<Record<Fault, string>>,
): FieldFaults<Field, Fault> {
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState<Faults<Field, Fault>>({});
  const refused = (error: unknown): readonly Field[] =>
    fields.filter((field) => refusedFields(error).includes(field));
  const each = (some: readonly Field[], fault: Fault | undefined) =>
    Object.fromEntries(some.map((field) => [field, fault])) as Faults<Field, Fault>;
  const tell = (found: Faults<Field, Fault>): boolean => {
    // The attribute has to be there before it is looked for.
    flushSync(() => setFaults(found));
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
    return Object.values(found).some((fault) => fault !== undefined);
  };
  return {
    form,
    tell,
    errorOf(field) {
      const fault = faults[field];
      return fault === undefined ? undefined : texts[fault];
    },
    tellRefusal: (error, fault) => void tell(each(refused(error), fault)),
    isAtFields: (error) => refused(error).length > 0,
    forget: (...some) => setFaults((before) => ({ ...before, ...each(some, undefined) })),
  };
}

/** The fields of a request that the API finds wanting, or that collide with what is there. */
function refusedFields(error: unknown): readonly string[] {
  if (!(error instanceof ApiProblem)) return [];
  const { code, problem } = error;
  if (code === 'already_exists') return typeof problem.field === 'string' ? [problem.field] : [];
  const { faults } = problem as { readonly faults?: readonly { readonly path: string }[] };
  return (faults ?? []).map(({ path }) => path.replace(/^body\./, ''));
}
