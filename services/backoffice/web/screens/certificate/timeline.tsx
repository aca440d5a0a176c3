import { Card } from '../../design/card.tsx';

export function Timeline({
  certificateId,
  timeZone,
}: {
  readonly certificateId: string;
  readonly timeZone: string;
}) {
  return <Card title="Timeline">{`${certificateId} ${timeZone}`}</Card>;
}
