import type { TimelineEntry } from '../../api/contract.ts';
import { useFormats } from '../../language/language.tsx';
import { mailTexts } from '../../language/mail-texts.ts';
import { renewalTexts } from '../../language/renewal-texts.ts';
import { useTexts, wordOf } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { timelineTexts, type TimelineTexts, type ToldEntry } from './timeline-texts.ts';

/** An entry in words: who did what, then why and what came of it. */
export type Told = {
  readonly sentence: string;
  readonly more: readonly string[];
  readonly whom: string;
};

/** Tells entries in the language that is spoken, with times of this zone. */
export function useTellEntry(timeZone: string): (entry: TimelineEntry) => Told {
  const t = useTexts(timelineTexts);
  const w = useTexts(words);
  const mails = useTexts(mailTexts);
  const renewals = useTexts(renewalTexts);
  const formats = useFormats();

  const dayOf = (instant: string): string => formats.day(instant, timeZone);

  return (entry) => {
    const { action, details } = entry;
    const text = (key: string): string => {
      const value = details[key];
      return typeof value === 'string' ? value : '';
    };
    const count = (key: string): number => Number(details[key] ?? 0);
    const at = (key: string): string =>
      text(key) === '' ? '' : formats.shortInstant(text(key), timeZone);
    const soon = (key: string): string =>
      text(key) !== '' && dayOf(text(key)) === dayOf(entry.at)
        ? formats.time(text(key), timeZone)
        : at(key);
    const names = (key: string): readonly string[] => {
      const value = details[key];
      return Array.isArray(value) ? value.map((name) => wordOf(t.factor, name) ?? name) : [];
    };
    const told: ToldEntry = {
      who: whoOf(entry, t),
      whom: text('operatorName') || t.toFormerOperator,
      text,
      count,
      number: (key) => formats.number(count(key)),
      at,
      soon,
      names,
      list: (key) => formats.list(names(key)),
      mailKind: wordOf(mails.kind, text('kind')) ?? t.type.mail,
      outcome: wordOf(renewals.outcome, text('outcome'))?.[0] ?? '',
      permission: wordOf(t.permission, text('permission')) ?? '',
      reason: wordOf(t.refusal, text('reason')) ?? wordOf(w.lapsed, text('reason')) ?? '',
    };
    const tell = wordOf(t.action, action);
    const [sentence = '', ...more] = tell === undefined ? t.unknown : tell(told);
    // What is known of a grant's limits and of its end stands with the grant.
    const shorter = wordOf(t.shorter, text('bindingLimit')) ?? '';
    const ended = wordOf(t.grantEnd, text('endReason'))?.(at('endedAt')) ?? '';
    return {
      sentence,
      more: [...more, shorter, ended].filter((line) => line !== ''),
      whom: told.whom,
    };
  };
}

function whoOf({ actor: { kind, name } }: TimelineEntry, t: TimelineTexts): string {
  switch (kind) {
    case 'operator':
      return name ?? t.formerOperator;
    case 'api_key':
      return name === null ? t.formerApiKey : t.apiKey(name);
    case 'process':
      return t.platform;
    case 'admin':
      return t.engineers;
  }
}
