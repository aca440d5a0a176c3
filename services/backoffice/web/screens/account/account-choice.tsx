import { Check } from 'lucide-react';
import { Link } from 'wouter';
import { useSession } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import { partPath, type Part } from './paths.ts';
import styles from './account.module.css';

const texts = defineTexts({
  en: { title: 'Which account?', role: (role: string) => `Your role: ${role}` },
  'pt-PT': { title: 'Que conta?', role: (role: string) => `O seu papel: ${role}` },
});

/** One's accounts as links to the same part; a select would already go there while one is still looking through it with the keyboard. */
export function AccountChoice({
  present,
  part,
  onClose,
}: {
  readonly present: string;
  readonly part: Part;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const { accounts } = useSession();
  return (
    <Dialog title={t.title} onClose={onClose}>
      <ul className={styles.accounts}>
        {accounts.map(({ id, name, role }) => (
          <li key={id}>
            <Link
              href={partPath(id, part)}
              className={styles.account}
              aria-current={id === present ? 'true' : undefined}
              onClick={onClose}
            >
              <span className={styles.accountName}>
                {name}
                <span className={styles.soft}>{t.role(w.role[role])}</span>
              </span>
              {id === present && <Check size={20} aria-hidden="true" />}
            </Link>
          </li>
        ))}
      </ul>
      <DialogActions>
        <Button onClick={onClose}>{w.close}</Button>
      </DialogActions>
    </Dialog>
  );
}
