import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, LogOut } from 'lucide-react';
import { useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { OwnSession } from '../../api/contract.ts';
import { keys, sessionsQuery } from '../../api/queries.ts';
import { Confirmation } from '../../app/confirmation.tsx';
import { FaultNotice } from '../../app/fault.tsx';
import { Loaded } from '../../app/loaded.tsx';
import { DoneNotice, type Done } from '../../app/done-notice.tsx';
import { useSession } from '../../app/session.tsx';
import { ShortInstant } from '../../app/short-instant.tsx';
import { useSignOut } from '../../app/sign-out.ts';
import { Title } from '../../app/title.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Status } from '../../design/status.tsx';
import { Table } from '../../design/table.tsx';
import { useFormats } from '../../language/language.tsx';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { PasswordCard } from './password-card.tsx';
import { readUserAgent } from './user-agent.ts';
import styles from './sessions.module.css';

const texts = defineTexts({
  en: {
    title: 'Sessions',
    open: 'Where you are signed in',
    intro: (zone: string) =>
      `End what you do not know or do not use any more. Times are those of ${zone}.`,
    browser: 'Browser',
    on: (browser: string, system: string) => `${browser} on ${system}`,
    unknownBrowser: 'Unknown browser',
    unknownSystem: 'unknown system',
    started: 'Signed in',
    lastUsed: 'Last used',
    ends: 'Ends if not used',
    actions: 'Actions',
    thisOne: 'This session',
    signOut: 'Sign out',
    end: 'End',
    ended: (browser: string) => `The session of ${browser} has ended.`,
    endOthers: 'End all others',
    endOthersTitle: 'End all other sessions?',
    endOthersWhy: (count: string) =>
      `${count} other sessions end at once. Whoever uses them has to sign in again. This one goes on.`,
    endOneOther:
      'The other session ends at once. Whoever uses it has to sign in again. This one goes on.',
    othersEnded: 'All other sessions have ended.',
    alone: 'This is your only session.',
  },
  'pt-PT': {
    title: 'Sessões',
    open: 'Onde tem sessão iniciada',
    intro: (zone: string) =>
      `Termine as que não conhece ou já não usa. As horas são as de ${zone}.`,
    browser: 'Navegador',
    on: (browser: string, system: string) => `${browser} em ${system}`,
    unknownBrowser: 'Navegador desconhecido',
    unknownSystem: 'sistema desconhecido',
    started: 'Início',
    lastUsed: 'Último uso',
    ends: 'Termina se não for usada',
    actions: 'Ações',
    thisOne: 'Esta sessão',
    signOut: 'Terminar sessão',
    end: 'Terminar',
    ended: (browser: string) => `A sessão de ${browser} terminou.`,
    endOthers: 'Terminar todas as outras',
    endOthersTitle: 'Terminar todas as outras sessões?',
    endOthersWhy: (count: string) =>
      `${count} outras sessões terminam de imediato. Quem as usa terá de iniciar sessão de novo. Esta continua.`,
    endOneOther:
      'A outra sessão termina de imediato. Quem a usa terá de iniciar sessão de novo. Esta continua.',
    othersEnded: 'Todas as outras sessões terminaram.',
    alone: 'Esta é a sua única sessão.',
  },
});

/** One that is gone already, of itself or by somebody else, is ended too. */
const endSession = async ({ id }: OwnSession): Promise<void> => {
  try {
    await call('DELETE', `/api/sessions/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!isProblem(error, 'not_found')) throw error;
  }
};

/** One's own sessions: which this one is, and the end of others. */
export default function SessionsScreen() {
  const t = useTexts(texts);
  const query = useQuery(sessionsQuery);
  const client = useQueryClient();
  const formats = useFormats();
  const timeZone = useTimeZone();
  const [isEndingOthers, setEndingOthers] = useState(false);
  const [done, setDone] = useState<Done>();
  const nameOf = useBrowserName();

  const readAgain = (): void => void client.invalidateQueries({ queryKey: keys.sessions });
  const end = useMutation({
    mutationFn: endSession,
    onMutate: () => setDone(undefined),
    onSuccess(_, { userAgent }) {
      setDone({ text: t.ended(nameOf(userAgent)), takesFocus: true });
      readAgain();
    },
  });
  const others = (query.data ?? []).filter(({ isCurrent }) => !isCurrent);

  return (
    <>
      <Title>{t.title}</Title>
      <Card
        title={t.open}
        aside={
          others.length > 0 && (
            <Button
              icon={<LogOut size={18} aria-hidden="true" />}
              onClick={() => {
                setDone(undefined);
                end.reset();
                setEndingOthers(true);
              }}
            >
              {t.endOthers}
            </Button>
          )
        }
      >
        <p className={styles.intro}>{t.intro(formats.zone(timeZone))}</p>
        <DoneNotice done={done} />
        {end.error !== null && <FaultNotice error={end.error} />}
        <Loaded query={query}>
          {(sessions) => (
            <Table
              label={t.open}
              columns={[
                { name: t.browser },
                { name: t.lastUsed },
                { name: t.started },
                { name: t.ends },
                { name: t.actions, isActions: true },
              ]}
              rows={thisFirst(sessions).map((session) => ({
                key: session.id,
                cells: [
                  <Browser key="browser" session={session} />,
                  <ShortInstant key="seen" at={session.lastSeenAt} timeZone={timeZone} />,
                  <ShortInstant key="started" at={session.startedAt} timeZone={timeZone} />,
                  <ShortInstant key="ends" at={session.endsAt} timeZone={timeZone} />,
                  session.isCurrent ? (
                    <SignOut key="end" />
                  ) : (
                    <Button
                      key="end"
                      icon={<LogOut size={18} aria-hidden="true" />}
                      busy={end.isPending && end.variables.id === session.id}
                      onClick={() => !end.isPending && end.mutate(session)}
                    >
                      {t.end}
                      <span className="visually-hidden"> {nameOf(session.userAgent)}</span>
                    </Button>
                  ),
                ],
              }))}
            />
          )}
        </Loaded>
        {query.data?.length === 1 && <p className={styles.intro}>{t.alone}</p>}
      </Card>
      <PasswordCard onChanged={readAgain} />
      {isEndingOthers && (
        <Confirmation
          title={t.endOthersTitle}
          confirm={t.endOthers}
          icon={<LogOut size={18} aria-hidden="true" />}
          run={() => call('DELETE', '/api/sessions').finally(readAgain)}
          onDone={() => {
            setEndingOthers(false);
            setDone({ text: t.othersEnded, takesFocus: true });
          }}
          onClose={() => setEndingOthers(false)}
        >
          <p>
            {others.length === 1 ? t.endOneOther : t.endOthersWhy(formats.number(others.length))}
          </p>
        </Confirmation>
      )}
    </>
  );
}

const thisFirst = (sessions: readonly OwnSession[]): readonly OwnSession[] =>
  sessions.toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent));

/** Sessions are of no account: the zone of one's first, else where the browser is. */
function useTimeZone(): string {
  const [first] = useSession().accounts;
  return first?.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function useBrowserName(): (userAgent: string | null) => string {
  const t = useTexts(texts);
  return (userAgent) => {
    const { browser, system } = readUserAgent(userAgent);
    if (browser === undefined && system === undefined) return t.unknownBrowser;
    return t.on(browser ?? t.unknownBrowser, system ?? t.unknownSystem);
  };
}

function Browser({ session: { userAgent, isCurrent } }: { readonly session: OwnSession }) {
  const t = useTexts(texts);
  const nameOf = useBrowserName();
  return (
    <span className={styles.browser}>
      <span className={styles.name}>{nameOf(userAgent)}</span>
      {isCurrent && (
        <Status tone="good" icon={<CircleCheck size={16} aria-hidden="true" />}>
          {t.thisOne}
        </Status>
      )}
    </span>
  );
}

function SignOut() {
  const t = useTexts(texts);
  const signOut = useSignOut();
  return (
    <>
      <Button
        icon={<LogOut size={18} aria-hidden="true" />}
        busy={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        {t.signOut}
      </Button>
      {signOut.error !== null && <FaultNotice error={signOut.error} />}
    </>
  );
}
