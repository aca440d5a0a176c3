import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { mostPasswordLength } from '../../../../../domain/passwords.ts';
import { Button } from '../../design/button.tsx';
import { TextField } from '../../design/field.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from './entrance.module.css';

const texts = defineTexts({
  en: {
    rule: (least: number) =>
      `At least ${least} characters. Several words are good and easy to remember.`,
    show: 'Show password',
    hide: 'Hide password',
  },
  'pt-PT': {
    rule: (least: number) =>
      `Pelo menos ${least} caracteres. Várias palavras são seguras e fáceis de lembrar.`,
    show: 'Mostrar palavra-passe',
    hide: 'Ocultar palavra-passe',
  },
});

export const newPasswordFaults = defineTexts({
  en: {
    missing: 'Choose a password.',
    tooShort: 'The password is too short.',
    tooLong: `The password is too long: at most ${mostPasswordLength} characters.`,
    refused: 'The server does not accept this password.',
  },
  'pt-PT': {
    missing: 'Escolha uma palavra-passe.',
    tooShort: 'A palavra-passe é demasiado curta.',
    tooLong: `A palavra-passe é demasiado longa: no máximo ${mostPasswordLength} caracteres.`,
    refused: 'O servidor não aceita esta palavra-passe.',
  },
});

export function faultOfNewPassword(
  password: string,
  least: number,
): 'missing' | 'tooShort' | 'tooLong' | undefined {
  if (password === '') return 'missing';
  if (password.length < least) return 'tooShort';
  return password.length > mostPasswordLength ? 'tooLong' : undefined;
}

/** A password that is chosen here: typed once, and looked at by whoever wants to. */
export function NewPasswordField({
  label,
  least,
  value,
  error,
  onChange,
}: {
  readonly label: string;
  readonly least: number;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const t = useTexts(texts);
  const [isShown, setShown] = useState(false);
  const ToggleIcon = isShown ? EyeOff : Eye;
  return (
    <div className={styles.password}>
      <TextField
        label={label}
        hint={t.rule(least)}
        type={isShown ? 'text' : 'password'}
        name="new-password"
        autoComplete="new-password"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={value}
        error={error}
        onChange={({ target }) => onChange(target.value)}
      />
      <Button
        look="quiet"
        icon={<ToggleIcon size={18} aria-hidden="true" />}
        onClick={() => setShown((before) => !before)}
      >
        {isShown ? t.hide : t.show}
      </Button>
    </div>
  );
}
