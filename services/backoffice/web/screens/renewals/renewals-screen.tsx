import { Title } from '../../app/title.tsx';

export default function RenewalsScreen() {
  return <Title>Renewals</Title>;
}
