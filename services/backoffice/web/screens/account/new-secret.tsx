import { useEffect, useRef } from 'react';
import { CopyButton } from '../../app/copy-button.tsx';
import { Button } from '../../design/button.tsx';
import { Notice } from '../../design/notice.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: {
    title: (name: string) => `The secret of ${name}`,
    once: 'It is shown this once: only its fingerprint is kept here. Copy it now to where the signing service reads it, and send it to nobody by mail.',
    lost: 'Should it get lost, make a new secret for the key.',
    secret: 'Secret',
    kept: 'I have copied it',
  },
  'pt-PT': {
    title: (name: string) => `O segredo de ${name}`,
    once: 'É mostrado só desta vez: aqui só fica guardada a sua impressão digital. Copie-o agora para onde o serviço de assinatura o lê e não o envie por e-mail.',
    lost: 'Se o perder, crie um novo segredo para a chave.',
    secret: 'Segredo',
    kept: 'Já o copiei',
  },
});

/** The secret that a key was just given, until it is said to be kept. In the page rather than in a dialog, which Escape would close over it. */
export function NewSecret({
  name,
  secret,
  note,
  onKept,
}: {
  readonly name: string;
  readonly secret: string;
  /** What becomes of the secret before. */
  readonly note?: string | undefined;
  readonly onKept: () => void;
}) {
  const t = useTexts(texts);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div ref={place} role="group" tabIndex={-1} aria-label={t.title(name)}>
      <Notice
        tone="warn"
        title={t.title(name)}
        actions={
          <>
            <CopyButton text={secret} />
            <Button onClick={onKept}>{t.kept}</Button>
          </>
        }
      >
        <p>{t.once}</p>
        <p>
          <span className="visually-hidden">{t.secret}: </span>
          <code className={styles.secret}>{secret}</code>
        </p>
        <p>{t.lost}</p>
        {note !== undefined && <p>{note}</p>}
      </Notice>
    </div>
  );
}
