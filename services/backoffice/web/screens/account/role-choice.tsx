import { roles, type Role } from '../../../../../domain/roles.ts';
import { OneOf } from '../../design/choice.tsx';
import { useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { accountTexts } from './account-texts.ts';

/** The roles, each with what it may do. */
export function RoleChoice({
  label,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly chosen: Role;
  readonly onChoose: (role: Role) => void;
}) {
  const w = useTexts(words);
  const { roleMeaning } = useTexts(accountTexts);
  return (
    <OneOf
      label={label}
      options={roles.map((role) => ({ value: role, text: w.role[role], note: roleMeaning[role] }))}
      chosen={chosen}
      onChoose={onChoose}
    />
  );
}
