import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import { useState } from 'react';
import { call, isProblem } from '../../api/client.ts';
import type { Account } from '../../api/contract.ts';
import { accountQuery, keys } from '../../api/queries.ts';
import { FaultNotice } from '../../app/fault.tsx';
import { useFieldFaults } from '../../app/field-faults.ts';
import { Loaded } from '../../app/loaded.tsx';
import { useMay } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { Facts } from '../../design/facts.tsx';
import { SelectField, TextField } from '../../design/field.tsx';
import { Notice } from '../../design/notice.tsx';
import { useFormats } from '../../language/language.tsx';
import { languageNames, languages, nearestLanguage } from '../../language/languages.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { accountTexts } from './account-texts.ts';
import { accountPath } from './paths.ts';
import { findTimeZone } from './time-zones.ts';
import { TimeZoneField } from './time-zone-field.tsx';
import { useWhomToAsk } from './whom-to-ask.tsx';
import styles from './account.module.css';

const fields = ['name', 'timeZone', 'reminderHour', 'locale'] as const;
type Changeable = Pick<Account, (typeof fields)[number]>;

const texts = defineTexts({
  en: {
    name: 'Name',
    timeZone: 'Time zone',
    hour: 'Send hour of reminders',
    reminders: 'Reminders',
    sentAt: (hour: string, zone: string) => `Reminders are sent at ${hour} (${zone}).`,
    language: 'Language',
    languageHint: 'Of the mails to new operators. Everybody changes their own under “You”.',
    save: 'Save',
    discard: 'Discard changes',
    saved: 'Saved.',
    unchanged: 'Everything was saved already.',
    onlyAdministrators: 'Only administrators change the settings.',
    faults: {
      nameMissing: 'Write the name of the account.',
      nameTaken: 'There is another account with this name.',
      zoneUnknown: 'This time zone is not known. Choose one from the list.',
      refused: 'The server does not accept this value.',
    },
  },
  'pt-PT': {
    name: 'Nome',
    timeZone: 'Fuso horário',
    hour: 'Hora de envio dos lembretes',
    reminders: 'Lembretes',
    sentAt: (hour: string, zone: string) => `Os lembretes são enviados às ${hour} (${zone}).`,
    language: 'Idioma',
    languageHint:
      'Dos e-mails para novos operadores. Cada pessoa muda o seu no menu com o próprio nome.',
    save: 'Guardar',
    discard: 'Descartar alterações',
    saved: 'Guardado.',
    unchanged: 'Já estava tudo guardado.',
    onlyAdministrators: 'Só os administradores alteram as definições.',
    faults: {
      nameMissing: 'Escreva o nome da conta.',
      nameTaken: 'Já existe outra conta com este nome.',
      zoneUnknown: 'Este fuso horário não é conhecido. Escolha um da lista.',
      refused: 'O servidor não aceita este valor.',
    },
  },
});

const hours = Array.from({ length: 24 }, (_, hour) => hour);
const hourText = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

export function Settings({ accountId }: { readonly accountId: string }) {
  const query = useQuery(accountQuery(accountId));
  const { parts } = useTexts(accountTexts);
  const may = useMay(accountId);
  return (
    <Card title={parts.settings}>
      <Loaded query={query}>
        {(account) =>
          may('settings') ? <SettingsForm account={account} /> : <SettingsFacts account={account} />
        }
      </Loaded>
    </Card>
  );
}

function SettingsFacts({ account }: { readonly account: Account }) {
  const t = useTexts(texts);
  const formats = useFormats();
  const whomToAsk = useWhomToAsk();
  const { name, timeZone, reminderHour, locale, administrators } = account;
  return (
    <>
      <Facts
        items={[
          [t.name, name],
          [t.timeZone, timeZone],
          [t.reminders, t.sentAt(hourText(reminderHour), formats.zone(timeZone))],
          [t.language, languageNames[nearestLanguage([locale])]],
        ]}
      />
      <Notice tone="info" title={t.onlyAdministrators}>
        <p>{whomToAsk(administrators)}</p>
      </Notice>
    </>
  );
}

/** Keeps only what was changed here: what a colleague changes meanwhile is seen, and not overwritten with what it was. */
function SettingsForm({ account }: { readonly account: Account }) {
  const t = useTexts(texts);
  const formats = useFormats();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Partial<Changeable>>({});
  const [said, setSaid] = useState<'saved' | 'unchanged'>();
  const { form, errorOf, tell, tellRefusal, isAtFields, forget } = useFieldFaults(fields, t.faults);
  const shown = { ...account, ...draft };
  const zone = findTimeZone(shown.timeZone);

  const save = useMutation({
    mutationFn: (changes: Partial<Changeable>) =>
      call<Account>('PATCH', accountPath(account.id), { body: changes }),
    onSuccess(changed) {
      client.setQueryData(keys.account(account.id), changed);
      // What was typed meanwhile is kept.
      setDraft((before) => changesOf(changed, before));
      setSaid('saved');
      // Name and zone are told on every screen.
      void client.invalidateQueries();
    },
    onError: (error) =>
      tellRefusal(error, isProblem(error, 'already_exists') ? 'nameTaken' : 'refused'),
  });
  const change = (changes: Partial<Changeable>): void => {
    setDraft((before) => ({ ...before, ...changes }));
    setSaid(undefined);
    forget(...(Object.keys(changes) as (keyof Changeable)[]));
  };
  const submit = (): void => {
    if (save.isPending) return;
    const isWrong = tell({
      ...(shown.name.trim() === '' && { name: 'nameMissing' }),
      ...(zone === undefined && { timeZone: 'zoneUnknown' }),
    });
    if (isWrong) return;
    const wanted: Partial<Changeable> = {
      ...draft,
      ...(draft.name !== undefined && { name: draft.name.trim() }),
      ...(draft.timeZone !== undefined && zone !== undefined && { timeZone: zone }),
    };
    const changes = changesOf(account, wanted);
    setDraft(changes);
    if (Object.keys(changes).length === 0) setSaid('unchanged');
    else save.mutate(changes);
  };
  return (
    <form
      ref={form}
      noValidate
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        label={t.name}
        value={shown.name}
        maxLength={200}
        autoComplete="off"
        required
        error={errorOf('name')}
        onChange={({ target }) => change({ name: target.value })}
      />
      <TimeZoneField
        label={t.timeZone}
        value={shown.timeZone}
        error={errorOf('timeZone')}
        onChange={(timeZone) => change({ timeZone })}
      />
      <SelectField
        label={t.hour}
        hint={t.sentAt(hourText(shown.reminderHour), formats.zone(zone ?? account.timeZone))}
        value={shown.reminderHour}
        options={hours.map((hour) => [String(hour), hourText(hour)] as const)}
        error={errorOf('reminderHour')}
        onChange={({ target }) => change({ reminderHour: Number(target.value) })}
      />
      <SelectField
        label={t.language}
        hint={t.languageHint}
        value={shown.locale}
        options={languages.map((language) => [language, languageNames[language]] as const)}
        error={errorOf('locale')}
        onChange={({ target }) => change({ locale: target.value })}
      />
      {save.error !== null && !isAtFields(save.error) && <FaultNotice error={save.error} />}
      <div className={styles.end}>
        <Button type="submit" look="primary" busy={save.isPending}>
          {t.save}
        </Button>
        {Object.keys(changesOf(account, draft)).length > 0 && !save.isPending && (
          <Button
            onClick={() => {
              setDraft({});
              tell({});
              form.current?.querySelector('input')?.focus();
            }}
          >
            {t.discard}
          </Button>
        )}
        <p role="status" className={styles.said}>
          {said !== undefined && (
            <>
              <Check size={18} aria-hidden="true" />
              {t[said]}
            </>
          )}
        </p>
      </div>
    </form>
  );
}

const changesOf = (account: Changeable, wanted: Partial<Changeable>): Partial<Changeable> =>
  Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => account[name as keyof Changeable] !== value),
  );
