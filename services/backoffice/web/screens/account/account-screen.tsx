import { Title } from '../../app/title.tsx';

export default function AccountScreen({
  accountId,
  part,
}: {
  readonly accountId: string | undefined;
  readonly part: string | undefined;
}) {
  return <Title>{`${accountId ?? ''} ${part ?? ''}`}</Title>;
}
