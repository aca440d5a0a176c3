import { Title } from '../../app/title.tsx';

export default function SessionsScreen() {
  return <Title>Sessions</Title>;
}
