import { useQuery } from '@tanstack/react-query';
import type { MailView } from '../../api/contract.ts';
import { mailQuery } from '../../api/queries.ts';
import { Instant } from '../../app/instant.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { MailStatus } from '../../app/mail-status.tsx';
import { Button } from '../../design/button.tsx';
import { Dialog, DialogActions } from '../../design/dialog.tsx';
import { mailTexts } from '../../language/mail-texts.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import styles from './mail-dialog.module.css';

const texts = defineTexts({
  en: {
    title: 'The mail as it was sent',
    subject: 'Subject',
    recipient: 'To',
    former: (name: string) => `${name}, who has left the account`,
    sentAt: 'Sent',
    writtenAt: 'Written',
    state: 'State',
    text: 'Text of the mail',
  },
  'pt-PT': {
    title: 'O e-mail tal como foi enviado',
    subject: 'Assunto',
    recipient: 'Para',
    former: (name: string) => `${name}, que já não pertence à conta`,
    sentAt: 'Enviado',
    writtenAt: 'Escrito',
    state: 'Estado',
    text: 'Texto do e-mail',
  },
});

export function MailDialog({
  certificateId,
  mailId,
  timeZone,
  onClose,
}: {
  readonly certificateId: string;
  readonly mailId: string;
  readonly timeZone: string;
  readonly onClose: () => void;
}) {
  const t = useTexts(texts);
  const { close } = useTexts(words);
  const query = useQuery(mailQuery(certificateId, mailId));
  return (
    <Dialog title={t.title} onClose={onClose}>
      <Loaded query={query} lines={8}>
        {(mail) => <Mail mail={mail} timeZone={timeZone} />}
      </Loaded>
      <DialogActions>
        <Button onClick={onClose}>{close}</Button>
      </DialogActions>
    </Dialog>
  );
}

function Mail({ mail, timeZone }: { readonly mail: MailView; readonly timeZone: string }) {
  const t = useTexts(texts);
  const { means } = useTexts(mailTexts);
  const { recipient, subject, state, sentAt, createdAt, text } = mail;
  return (
    <>
      <dl className={styles.head}>
        <dt>{t.subject}</dt>
        <dd>
          <strong>{subject}</strong>
        </dd>
        <dt>{t.recipient}</dt>
        <dd>
          {recipient.email === null
            ? t.former(recipient.name)
            : `${recipient.name} <${recipient.email}>`}
        </dd>
        <dt>{sentAt === null ? t.writtenAt : t.sentAt}</dt>
        <dd>
          <Instant at={sentAt ?? createdAt} timeZone={timeZone} />
        </dd>
        <dt>{t.state}</dt>
        <dd className={styles.state}>
          <MailStatus state={state} />
          <span className={styles.means}>{means[state]}</span>
        </dd>
      </dl>
      {/* Its links are only text: what was mailed once may lead elsewhere by now. By keyboard it is scrolled once it has the focus. */}
      <section aria-label={t.text} tabIndex={0} className={styles.text}>
        {text.trim()}
      </section>
    </>
  );
}
