import { Compass } from 'lucide-react';
import { Title } from '../app/title.tsx';
import { ButtonLink } from '../design/button.tsx';
import { Empty } from '../design/empty.tsx';
import { defineTexts, useTexts } from '../language/texts.ts';

const texts = defineTexts({
  en: {
    title: 'Nothing here',
    why: 'There is no such page, or nothing there that you can see.',
    next: 'Go to the certificates',
  },
  'pt-PT': {
    title: 'Nada aqui',
    why: 'Esta página não existe, ou não tem nada que possa ver.',
    next: 'Ir para os certificados',
  },
});

export function NotFoundScreen() {
  const t = useTexts(texts);
  return (
    <>
      <Title>{t.title}</Title>
      <Empty
        icon={<Compass size={32} aria-hidden="true" />}
        title={t.why}
        action={
          <ButtonLink href="/certificates" look="primary">
            {t.next}
          </ButtonLink>
        }
      />
    </>
  );
}
