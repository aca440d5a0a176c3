import { MailCheck, MailX, RotateCw, Send } from 'lucide-react';
import type { MailState } from '../api/contract.ts';
import { Status, type Tone } from '../design/status.tsx';
import { mailTexts } from '../language/mail-texts.ts';
import { useTexts } from '../language/texts.ts';

const looks: Readonly<Record<MailState, readonly [Tone, typeof Send]>> = {
  sending: ['accent', Send],
  accepted: ['good', MailCheck],
  refused: ['bad', MailX],
  failed: ['warn', RotateCw],
};

/** How far a mail has come: icon, word and colour are the same on every screen. */
export function MailStatus({ state }: { readonly state: MailState }) {
  const t = useTexts(mailTexts);
  const [tone, Icon] = looks[state];
  return (
    <Status tone={tone} icon={<Icon size={15} aria-hidden="true" />}>
      {t.state[state]}
    </Status>
  );
}
