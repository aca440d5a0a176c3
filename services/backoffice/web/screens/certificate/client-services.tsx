import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, CircleOff, CirclePause } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import type { CertificateView, ClientService } from '../../api/contract.ts';
import { keys } from '../../api/queries.ts';
import { Confirmation } from '../../app/confirmation.tsx';
import { FaultNotice } from '../../app/fault.tsx';
import { DoneNotice, type Done } from '../../app/done-notice.tsx';
import { useMay } from '../../app/session.tsx';
import { Button } from '../../design/button.tsx';
import { Card } from '../../design/card.tsx';
import { classNames } from '../../design/class-names.ts';
import { Empty } from '../../design/empty.tsx';
import { Notice } from '../../design/notice.tsx';
import { Status, type Tone } from '../../design/status.tsx';
import type { LapseReason } from '../../../../../domain/grant.ts';
import { useFormats } from '../../language/language.tsx';
import { problemTexts } from '../../language/problem-texts.ts';
import { defineTexts, useTexts } from '../../language/texts.ts';
import { words } from '../../language/words.ts';
import styles from './certificate.module.css';

const texts = defineTexts({
  en: {
    title: 'Client services',
    empty: 'No client service signs with this certificate yet.',
    emptyWhy: 'The platform’s engineers register them.',
    blocked:
      'While the certificate may not sign, no service can be activated. Renew the access first.',
    waiting: (count: number) =>
      count === 1
        ? '1 service was active when it was suspended, and waits to be activated again.'
        : `${count} services were active when they were suspended, and wait to be activated again.`,
    activateAll: (count: number) => `Activate all ${count}`,
    activateChosen: (count: number) => `Activate the ${count} chosen`,
    choose: (alias: string) => `Choose ${alias}`,
    activate: (alias: string) => `Activate ${alias}`,
    deactivate: 'Deactivate …',
    deactivateNamed: (alias: string) => `Deactivate ${alias} …`,
    since: (reason: string, when: string) => `${reason}, since ${when}`,
    ask: (alias: string) => `Deactivate “${alias}”?`,
    askWhat:
      'It cannot sign with this certificate until somebody activates it again. Nothing else changes.',
    askDo: 'Deactivate',
    done: (count: number) =>
      count === 1 ? '1 service was activated.' : `${count} services were activated.`,
    deactivated: (alias: string) => `${alias} was deactivated.`,
    failed: (alias: string, why: string) => `${alias}: ${why}`,
  },
  'pt-PT': {
    title: 'Serviços de cliente',
    empty: 'Ainda nenhum serviço de cliente assina com este certificado.',
    emptyWhy: 'São registados pelos engenheiros da plataforma.',
    blocked:
      'Enquanto não se puder assinar com o certificado, nenhum serviço pode ser ativado. Primeiro renove o acesso.',
    waiting: (count: number) =>
      count === 1
        ? '1 serviço estava ativo quando foi suspenso e espera que o ativem de novo.'
        : `${count} serviços estavam ativos quando foram suspensos e esperam que os ativem de novo.`,
    activateAll: (count: number) => `Ativar os ${count}`,
    activateChosen: (count: number) => `Ativar os ${count} escolhidos`,
    choose: (alias: string) => `Escolher ${alias}`,
    activate: (alias: string) => `Ativar ${alias}`,
    deactivate: 'Desativar …',
    deactivateNamed: (alias: string) => `Desativar ${alias} …`,
    since: (reason: string, when: string) => `${reason}, desde ${when}`,
    ask: (alias: string) => `Desativar “${alias}”?`,
    askWhat:
      'Não pode assinar com este certificado até que alguém o ative de novo. Nada mais muda.',
    askDo: 'Desativar',
    done: (count: number) =>
      count === 1 ? '1 serviço foi ativado.' : `${count} serviços foram ativados.`,
    deactivated: (alias: string) => `${alias} foi desativado.`,
    failed: (alias: string, why: string) => `${alias}: ${why}`,
  },
});

type Results = {
  readonly results: readonly {
    readonly id: string;
    readonly status: string | null;
    readonly problem: { readonly code: string; readonly message: string } | null;
  }[];
};

/** Activates services of a certificate by hand: one, several or all, with a result for each. */
export function useActivation({ id }: CertificateView) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (ids: readonly string[]) =>
      call<Results>(
        'POST',
        `/api/certificates/${encodeURIComponent(id)}/client-services/activation`,
        {
          body: { ids },
        },
      ),
    onSettled: () => client.invalidateQueries({ queryKey: keys.certificate(id) }),
  });
}

/** Those that were active when the platform suspended them. */
export const suspendedOf = ({ clientServices }: CertificateView): readonly ClientService[] =>
  clientServices.filter(({ wasActive }) => wasActive);

export const mayActivateNow = ({ access }: CertificateView): boolean =>
  access.standing === 'in_force' || access.standing === 'warned';

export function ClientServices({
  certificate,
  isTold,
}: {
  readonly certificate: CertificateView;
  /** Whether what waits to be activated is told elsewhere on the screen already. */
  readonly isTold: boolean;
}) {
  const t = useTexts(texts);
  const client = useQueryClient();
  const may = useMay(certificate.account.id);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [toDeactivate, setToDeactivate] = useState<ClientService>();
  const [done, setDone] = useState<Done>();
  const activation = useActivation(certificate);
  const { clientServices } = certificate;
  const canActivate = may('activate') && mayActivateNow(certificate);
  const inactive = clientServices.filter(({ status }) => status !== 'active');
  const canChoose = canActivate && inactive.length > 1;
  const chosenIds = inactive.map(({ id }) => id).filter((id) => chosen.has(id));
  const waiting = suspendedOf(certificate);
  const activate = (ids: readonly string[]): void => {
    setDone(undefined);
    activation.mutate(ids, { onSuccess: () => setChosen(new Set()) });
  };

  if (clientServices.length === 0) {
    return (
      <Card title={t.title}>
        <Empty title={t.empty}>
          <p>{t.emptyWhy}</p>
        </Empty>
      </Card>
    );
  }
  return (
    <Card
      title={t.title}
      aside={
        canActivate &&
        chosenIds.length > 0 && (
          <Button look="primary" busy={activation.isPending} onClick={() => activate(chosenIds)}>
            {t.activateChosen(chosenIds.length)}
          </Button>
        )
      }
    >
      {may('activate') && !canActivate && inactive.length > 0 && (
        <p className={styles.soft}>{t.blocked}</p>
      )}
      {canActivate && waiting.length > 0 && !isTold && (
        <Notice
          tone="warn"
          actions={
            waiting.length > 1 && (
              <Button
                look="primary"
                busy={activation.isPending}
                onClick={() => activate(waiting.map(({ id }) => id))}
              >
                {t.activateAll(waiting.length)}
              </Button>
            )
          }
        >
          <p>{t.waiting(waiting.length)}</p>
        </Notice>
      )}
      <div role="status" className="live">
        {activation.data !== undefined && (
          <ActivationResult certificate={certificate} results={activation.data.results} />
        )}
      </div>
      <DoneNotice done={done} />
      {activation.error !== null && <FaultNotice error={activation.error} />}
      <ul className={classNames(styles.services, canChoose && styles.choosing)}>
        {clientServices.map((service) => (
          <li key={service.id} className={styles.service}>
            {canChoose && (
              <span className={styles.choose}>
                {service.status !== 'active' && (
                  <input
                    type="checkbox"
                    aria-label={t.choose(service.alias)}
                    checked={chosen.has(service.id)}
                    onChange={({ target }) =>
                      setChosen(withOrWithout(chosen, service.id, target.checked))
                    }
                  />
                )}
              </span>
            )}
            <ServiceState service={service} timeZone={certificate.account.timeZone} />
            {service.status === 'active'
              ? may('activate') && (
                  <Button
                    small
                    aria-label={t.deactivateNamed(service.alias)}
                    onClick={() => {
                      setDone(undefined);
                      activation.reset();
                      setToDeactivate(service);
                    }}
                  >
                    {t.deactivate}
                  </Button>
                )
              : canActivate && (
                  <ActivateButton
                    service={service}
                    busy={activation.isPending && activation.variables.includes(service.id)}
                    onActivate={() => activate([service.id])}
                  />
                )}
          </li>
        ))}
      </ul>
      {toDeactivate !== undefined && (
        <Confirmation
          title={t.ask(toDeactivate.alias)}
          confirm={t.askDo}
          icon={<CircleOff size={18} aria-hidden="true" />}
          run={() =>
            call(
              'POST',
              `/api/client-services/${encodeURIComponent(toDeactivate.id)}/deactivation`,
            ).finally(() =>
              client.invalidateQueries({ queryKey: keys.certificate(certificate.id) }),
            )
          }
          onDone={() => {
            setToDeactivate(undefined);
            setDone({ text: t.deactivated(toDeactivate.alias), takesFocus: true });
          }}
          onClose={() => setToDeactivate(undefined)}
        >
          <p>{t.askWhat}</p>
        </Confirmation>
      )}
    </Card>
  );
}

export function ActivateButton({
  service,
  busy,
  onActivate,
}: {
  readonly service: ClientService;
  readonly busy: boolean;
  readonly onActivate: () => void;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  return (
    <Button
      small
      look="primary"
      busy={busy}
      aria-label={t.activate(service.alias)}
      onClick={onActivate}
    >
      {w.activate}
    </Button>
  );
}

/** How it went, for each that did not. */
export function ActivationResult({
  certificate,
  results,
}: {
  readonly certificate: CertificateView;
  readonly results: Results['results'];
}) {
  const t = useTexts(texts);
  const problems = useTexts(problemTexts);
  const failed = results.filter(({ problem }) => problem !== null);
  const aliasOf = (id: string) =>
    certificate.clientServices.find((one) => one.id === id)?.alias ?? '';
  return (
    <Notice tone={failed.length === 0 ? 'good' : 'bad'}>
      <p>{t.done(results.length - failed.length)}</p>
      {failed.map(({ id, problem }) => (
        <p key={id}>
          {t.failed(
            aliasOf(id),
            problem?.code === 'not_found' ? problems.not_found[0] : (problem?.message ?? ''),
          )}
        </p>
      ))}
    </Notice>
  );
}

const lookOf = {
  active: ['good', CircleCheck],
  suspended: ['bad', CirclePause],
  inactive: ['still', CircleOff],
} as const satisfies Record<ClientService['status'], readonly [Tone, typeof CircleCheck]>;

export function ServiceState({
  service,
  timeZone,
}: {
  readonly service: ClientService;
  readonly timeZone: string;
}) {
  const t = useTexts(texts);
  const w = useTexts(words);
  const formats = useFormats();
  const { alias, status, reason, suspendedAt } = service;
  const [tone, Icon] = lookOf[status];
  return (
    <div className={styles.what}>
      <span className={styles.alias}>{alias}</span>
      <Status tone={tone} icon={<Icon size={15} aria-hidden="true" />}>
        {w.service[status]}
      </Status>
      {status === 'suspended' && reason !== null && suspendedAt !== null && (
        <span className={styles.soft}>
          {t.since(w.lapsed[reason as LapseReason], formats.instant(suspendedAt, timeZone))}
        </span>
      )}
    </div>
  );
}

function withOrWithout(set: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> {
  const changed = new Set(set);
  if (isIn) changed.add(id);
  else changed.delete(id);
  return changed;
}
