import {
  CircleCheck,
  CircleQuestionMark,
  CircleSlash,
  CircleX,
  ExternalLink,
  Hourglass,
  Smartphone,
  TimerOff,
} from 'lucide-react';
import type { RenewalState } from '../../../../domain/renewal.ts';
import { Status, type Tone } from '../design/status.tsx';
import { renewalTexts } from '../language/renewal-texts.ts';
import { useTexts } from '../language/texts.ts';

const looks: Readonly<Record<RenewalState, readonly [Tone, typeof CircleX]>> = {
  at_ca: ['accent', ExternalLink],
  awaiting_code: ['accent', Smartphone],
  authorizing: ['accent', Hourglass],
  granted: ['good', CircleCheck],
  refused: ['bad', CircleX],
  abandoned: ['still', CircleSlash],
  timed_out: ['still', TimerOff],
  outcome_unknown: ['warn', CircleQuestionMark],
};

/** How far a renewal has come: icon, word and colour are the same on every screen. */
export function RenewalStatus({ state }: { readonly state: RenewalState }) {
  const t = useTexts(renewalTexts);
  const [tone, Icon] = looks[state];
  return (
    <Status tone={tone} icon={<Icon size={15} aria-hidden="true" />}>
      {t.state[state]}
    </Status>
  );
}
