import { useEffect, useRef, type ReactNode } from 'react';
import { defineTexts, useTexts } from '../../language/texts.ts';

const texts = defineTexts({
  en: {
    signIn: 'Go to sign in',
    noLink: 'The link is not complete',
    noLinkWhy:
      'For safety, the link’s secret part is not kept in the address, so the page cannot be loaded again. Open the link in the mail once more.',
  },
  'pt-PT': {
    signIn: 'Ir para o início de sessão',
    noLink: 'A ligação não está completa',
    noLinkWhy:
      'Por segurança, a parte secreta da ligação não fica no endereço, pelo que a página não pode ser recarregada. Abra de novo a ligação que está no e-mail.',
  },
});

/** Where there is nothing (more) to do here: what it came to, and the way on to the sign-in. */
export function WayOn({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}) {
  const t = useTexts(texts);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
      {/* A plain link: what is shown at an address is chosen when the page is loaded. */}
      <p>
        <a href="/certificates">{t.signIn}</a>
      </p>
    </>
  );
}

/** The page of a link without what belongs behind the #. */
export function LinkWithoutToken() {
  const t = useTexts(texts);
  return (
    <WayOn title={t.noLink}>
      <p>{t.noLinkWhy}</p>
    </WayOn>
  );
}
