import { useId } from 'react';
import { useNow } from '../../app/now.tsx';
import { TextField } from '../../design/field.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { findTimeZone, timeZones } from './time-zones.ts';

const texts = defineTexts({
  en: {
    search: 'Type a part of it, such as Lisbon or Azores, and choose from the list.',
    now: (time: string) => `It is ${time} there now.`,
  },
  'pt-PT': {
    search: 'Escreva uma parte, como Lisbon ou Azores, e escolha da lista.',
    now: (time: string) => `Agora são ${time} nesse fuso.`,
  },
});

/** A time zone, searched by typing. The time that it is there tells whether it is the one that was meant. */
export function TimeZoneField({
  label,
  value,
  error,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const t = useTexts(texts);
  const formats = useFormats();
  const now = useNow();
  const listId = useId();
  const zone = findTimeZone(value);
  return (
    <>
      <TextField
        label={label}
        hint={
          zone === undefined ? t.search : t.now(formats.time(new Date(now).toISOString(), zone))
        }
        list={listId}
        value={value}
        error={error}
        required
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onFocus={({ target }) => target.select()}
        onBlur={() => {
          if (zone !== undefined && zone !== value) onChange(zone);
        }}
        onChange={({ target }) => onChange(target.value)}
      />
      <datalist id={listId}>
        {timeZones.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}
