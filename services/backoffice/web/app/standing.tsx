import { Ban, CircleDashed, Clock, Gauge, ShieldCheck } from 'lucide-react';
import type { CertificateView } from '../api/contract.ts';
import { Status, type Tone } from '../design/status.tsx';
import { useTexts } from '../language/texts.ts';
import { words } from '../language/words.ts';

type Told = Pick<CertificateView['access'], 'standing' | 'warnings'>;

/** The standing of a certificate's access: icon, word and colour are the same on every screen. */
export function StandingStatus({ standing, warnings }: Told) {
  const w = useTexts(words);
  const [tone, Icon] = lookOf({ standing, warnings });
  const about = warnings.length > 1 ? 'both' : warnings[0];
  const word =
    standing === 'warned' && about !== undefined ? w.warned[about] : w.standing[standing];
  return (
    <Status tone={tone} icon={<Icon size={15} aria-hidden="true" />}>
      {word}
    </Status>
  );
}

function lookOf({ standing, warnings }: Told): readonly [Tone, typeof Ban] {
  switch (standing) {
    case 'none':
      return ['still', CircleDashed];
    case 'in_force':
      return ['good', ShieldCheck];
    case 'warned':
      return ['warn', warnings.includes('time') ? Clock : Gauge];
    case 'lapsed':
      return ['bad', Ban];
  }
}
