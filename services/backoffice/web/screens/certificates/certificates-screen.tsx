import { Title } from '../../app/title.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';

export function CertificatesScreen() {
  return <Title>{useTexts(words).certificates}</Title>;
}
