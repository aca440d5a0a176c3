import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../design/button.tsx';
import { defineTexts, useTexts } from '../language/texts.ts';

const texts = defineTexts({
  en: { copy: 'Copy', copied: 'Copied', failed: 'Select the text and copy it yourself' },
  'pt-PT': { copy: 'Copiar', copied: 'Copiado', failed: 'Selecione o texto e copie-o' },
});

/** Puts a text where it can be pasted from. Where the browser does not let it, it says so. */
export function CopyButton({ text }: { readonly text: string }) {
  const t = useTexts(texts);
  const [state, setState] = useState<'copy' | 'copied' | 'failed'>('copy');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      // Refused, or not there at all without https.
      setState('failed');
    }
  };
  const Icon = state === 'copied' ? Check : Copy;
  return (
    <>
      <Button icon={<Icon size={18} aria-hidden="true" />} onClick={() => void copy()}>
        {t[state]}
      </Button>
      <span role="status" className="visually-hidden">
        {state === 'copy' ? '' : t[state]}
      </span>
    </>
  );
}
