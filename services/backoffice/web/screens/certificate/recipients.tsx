import { Card } from '../../design/card.tsx';

export function Recipients({
  certificateId,
  timeZone,
}: {
  readonly certificateId: string;
  readonly timeZone: string;
}) {
  return <Card title="Recipients">{`${certificateId} ${timeZone}`}</Card>;
}
