import { Component, type ReactNode } from 'react';
import { Button } from '../design/button.tsx';
import { Notice } from '../design/notice.tsx';
import { defineTexts, useTexts } from '../language/texts.ts';

const texts = defineTexts({
  en: {
    what: 'This page came to a halt.',
    next: 'Nothing was changed by it. Load it again and go on; if it happens again, tell the platform engineers what you did.',
    again: 'Load again',
  },
  'pt-PT': {
    what: 'Esta página parou.',
    next: 'Nada foi alterado por isso. Carregue-a de novo e continue; se voltar a acontecer, diga aos engenheiros da plataforma o que fez.',
    again: 'Carregar de novo',
  },
});

/** A fault of the page's own, or a part of it that a newer release has replaced: said in words, with the way on, and the rest of the page stays. */
export class CrashBoundary extends Component<
  { readonly children: ReactNode },
  { readonly hasCrashed: boolean }
> {
  override state = { hasCrashed: false };

  static getDerivedStateFromError() {
    return { hasCrashed: true };
  }

  override render() {
    return this.state.hasCrashed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const t = useTexts(texts);
  return (
    <Notice
      tone="bad"
      announce="alert"
      title={t.what}
      actions={<Button onClick={() => window.location.reload()}>{t.again}</Button>}
    >
      <p>{t.next}</p>
    </Notice>
  );
}
