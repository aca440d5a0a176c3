// The bare pages of the backoffice: sign in, list, detail with renewal. All text goes in as text nodes, so nothing that the API tells is markup.

const main = document.getElementById('main');
const certificateId = /^\/certificates\/([^/]+)$/.exec(location.pathname)?.[1];
const renewalId = new URLSearchParams(location.search).get('renewal');

/** Makes an element: properties first, then children (texts or elements; empty ones are left out). */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return made;
}

class ApiProblem extends Error {
  constructor(problem) {
    super([problem.title, problem.detail].filter(Boolean).join(' '));
    this.problem = problem;
  }
}

async function api(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 204) return undefined;
  const answer = await response.json();
  if (!response.ok) throw new ApiProblem(answer);
  return answer;
}

function show(...children) {
  main.replaceChildren(...children.flat().filter(Boolean));
}

/** Runs what a button does; a refusal is shown above everything, a session that ended leads to the sign-in. */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === 'session_required') showSignIn();
    else main.prepend(element('p', { role: 'alert' }, error.message));
  }
}

function instant(text, timeZone) {
  if (!text) return '–';
  return new Intl.DateTimeFormat(undefined, {
    dateStyle: 'medium',
    timeStyle: 'long',
    timeZone,
  }).format(new Date(text));
}

const number = (value) => (value === null ? '–' : new Intl.NumberFormat().format(value));

function facts(entries) {
  return element(
    'dl',
    {},
    entries.flatMap(([name, value]) => [
      element('dt', {}, name),
      element('dd', {}, value === null || value === undefined || value === '' ? '–' : value),
    ]),
  );
}

// Sign in

function showSignIn() {
  const email = element('input', { type: 'email', autocomplete: 'username', required: true });
  const password = element('input', {
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const form = element(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        attempt(async () => {
          await api('POST', '/api/session', { email: email.value, password: password.value });
          await start();
        });
      },
    },
    element('label', {}, 'E-mail', email),
    element('label', {}, 'Password', password),
    element('button', { type: 'submit' }, 'Sign in'),
  );
  show(element('h1', {}, 'Sign in'), form);
  email.focus();
}

function signOutButton() {
  return element(
    'button',
    {
      type: 'button',
      onclick: () =>
        attempt(async () => {
          await api('DELETE', '/api/session');
          showSignIn();
        }),
    },
    'Sign out',
  );
}

// List

async function showList() {
  const { items, totals } = await api('GET', '/api/certificates');
  const rows = items.map((item) =>
    element(
      'tr',
      {},
      element('td', {}, element('a', { href: `/certificates/${item.id}` }, item.alias)),
      element('td', {}, item.account.name),
      element('td', {}, [item.standing, item.reason, ...item.warnings].filter(Boolean).join(', ')),
      element('td', {}, instant(item.expiresAt)),
      element('td', {}, item.usagePercent === null ? '–' : `${item.usagePercent} %`),
      element('td', {}, String(item.suspendedServiceCount)),
    ),
  );
  const heads = ['Certificate', 'Account', 'Standing', 'Expires', 'Used', 'Suspended services'];
  show(
    element('h1', {}, 'Certificates'),
    element(
      'p',
      {},
      Object.entries(totals)
        .map(([standing, count]) => `${standing}: ${count}`)
        .join(', '),
    ),
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          heads.map((head) => element('th', { scope: 'col' }, head)),
        ),
      ),
      element('tbody', {}, rows),
    ),
    signOutButton(),
  );
}

// Detail

async function showDetail() {
  const certificate = await api('GET', `/api/certificates/${certificateId}`);
  const { account, access, ca, permissions } = certificate;
  const renewal = renewalId ? await api('GET', `/api/renewals/${renewalId}`) : undefined;
  const open = certificate.openRenewal;
  show(
    element('p', {}, element('a', { href: '/certificates' }, 'All certificates')),
    element('h1', {}, certificate.alias),
    renewal && renewalNote(renewal),
    element(
      'section',
      {},
      element('h2', {}, 'Certificate'),
      facts([
        ['Account', account.name],
        ['Subject', certificate.subject],
        ['Issuer', certificate.issuer],
        ['Serial', certificate.serial],
        ['Ends', instant(certificate.notAfter, account.timeZone)],
      ]),
    ),
    element(
      'section',
      {},
      element('h2', {}, 'Certificate Authority Access'),
      facts([
        ['Authority', ca.name],
        ['Client account', ca.clientAccount],
        [
          'Standing',
          [access.standing, access.reason, ...access.warnings].filter(Boolean).join(', '),
        ],
        ['Certificate access expiration date', instant(access.expiresAt, account.timeZone)],
        ['Granted by', access.grantedBy],
        ['Signatures', `${number(access.used)} of ${number(access.allowance)}`],
        ['First limit', access.bindingLimit],
        [
          'Workflow',
          certificate.workflowUrl && element('a', { href: certificate.workflowUrl }, 'Temporal'),
        ],
      ]),
      open &&
        element(
          'p',
          {},
          `${open.operator.name} has been renewing since ${instant(open.startedAt, account.timeZone)} (${open.state}). `,
          open.isYours && open.state === 'awaiting_code'
            ? element('a', { href: `/certificates/${certificateId}?renewal=${open.id}` }, 'Go on')
            : undefined,
        ),
      permissions.includes('renew') &&
        element('button', { type: 'button', onclick: () => renew(ca.name, false) }, 'Renew'),
    ),
    element(
      'section',
      {},
      element('h2', {}, 'Client services'),
      element(
        'ul',
        {},
        certificate.clientServices.map((service) => serviceItem(service, permissions)),
      ),
    ),
    signOutButton(),
  );
  if (renewal?.isYours && renewal.state === 'awaiting_code') showCodeDialog(renewal);
  else if (renewal?.state === 'authorizing') setTimeout(() => attempt(showDetail), 2000);
}

function serviceItem(service, permissions) {
  const isActive = service.status === 'active';
  const action = isActive ? 'deactivation' : 'activation';
  const since = service.suspendedAt
    ? `, ${service.reason} since ${instant(service.suspendedAt)}`
    : '';
  return element(
    'li',
    {},
    `${service.alias}: ${service.status}${since} `,
    permissions.includes('activate')
      ? element(
          'button',
          {
            type: 'button',
            onclick: () =>
              attempt(async () => {
                await api('POST', `/api/client-services/${service.id}/${action}`);
                await showDetail();
              }),
          },
          isActive ? 'Deactivate' : 'Activate',
        )
      : undefined,
  );
}

function renewalNote({ state, outcome, notice }) {
  const text = outcome
    ? `${outcome.message} ${outcome.whatToDo}`
    : (notice?.message ??
      { at_ca: 'The renewal waits at the CA.', authorizing: 'The CA is being asked …' }[state]);
  return (
    text && element('p', { role: outcome && outcome.code !== 'granted' ? 'alert' : 'status' }, text)
  );
}

function renew(caName, takeOver) {
  return attempt(async () => {
    const question = takeOver
      ? 'Take the renewal over from your colleague?'
      : `You will be redirected to authenticate in ${caName}. The 60 days count from the renewal. Go on?`;
    if (!confirm(question)) return;
    try {
      const { redirectTo } = await api('POST', `/api/certificates/${certificateId}/renewals`, {
        takeOver,
      });
      location.assign(redirectTo);
    } catch (error) {
      if (!(error instanceof ApiProblem) || !error.problem.canTakeOver) throw error;
      await renew(caName, true);
    }
  });
}

// The dialog for PIN and code. Its clock is the server's: it counts by the difference to `serverNow`.

function showCodeDialog(renewal) {
  const aheadMs = Date.now() - new Date(renewal.serverNow).getTime();
  const leftMs = (until) => (until ? new Date(until).getTime() - (Date.now() - aheadMs) : 0);
  const inputs = renewal.factors.map((factor) => ({
    factor,
    input: element('input', {
      type: factor.name === 'pin' ? 'password' : 'text',
      inputMode: factor.numeric ? 'numeric' : 'text',
      autocomplete: factor.name === 'otp' ? 'one-time-code' : 'off',
      required: factor.required,
    }),
  }));
  const message = element('p', { role: 'alert', hidden: true });
  const clock = element('p', { role: 'timer' });
  const send = element('button', { type: 'submit' }, 'Authorize');
  const again = element('button', { type: 'button', onclick: () => run(newCode) }, 'New code');
  const cancel = element('button', { type: 'button', onclick: () => run(abandon) }, 'Abandon');
  const dialog = element(
    'dialog',
    { oncancel: (event) => event.preventDefault() },
    element('h2', {}, 'Authorization'),
    message,
    element(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          run(authorize);
        },
      },
      inputs.map(({ factor, input }) =>
        element(
          'label',
          {},
          factor.label,
          factor.description ? element('small', {}, ` ${factor.description}`) : undefined,
          input,
        ),
      ),
      clock,
      send,
      again,
      cancel,
    ),
  );
  if (renewal.notice) tell(renewal.notice.message);

  function tell(text) {
    message.textContent = text;
    message.hidden = text === '';
  }
  function tick() {
    const left = Math.max(0, Math.ceil(leftMs(renewal.codeWindowEndsAt) / 1000));
    const wait = Math.max(0, Math.ceil(leftMs(renewal.resendAllowedAt) / 1000));
    clock.textContent =
      left > 0
        ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left for this code`
        : 'Ask for a new code to go on.';
    send.disabled = left === 0;
    again.disabled = wait > 0;
    again.textContent = wait > 0 ? `New code (in ${wait} s)` : 'New code';
  }
  async function run(work) {
    send.disabled = true;
    try {
      await work();
    } catch (error) {
      tell(error.message);
      const now = await api('GET', `/api/renewals/${renewal.id}`).catch(() => renewal);
      if (now.state === 'awaiting_code') Object.assign(renewal, now);
      else finish();
    }
    tick();
  }
  async function authorize() {
    const typed = Object.fromEntries(inputs.map(({ factor, input }) => [factor.name, input.value]));
    for (const { input } of inputs) input.value = '';
    await api('POST', `/api/renewals/${renewal.id}/authorization`, typed);
    finish();
  }
  async function newCode() {
    Object.assign(renewal, await api('POST', `/api/renewals/${renewal.id}/code`));
    tell(renewal.notice?.message ?? '');
  }
  async function abandon() {
    await api('DELETE', `/api/renewals/${renewal.id}`);
    finish();
  }
  function finish() {
    clearInterval(timer);
    dialog.close();
    dialog.remove();
    attempt(showDetail);
  }

  document.body.append(dialog);
  const timer = setInterval(tick, 250);
  tick();
  dialog.showModal();
  inputs[0]?.input.focus();
}

async function start() {
  if (certificateId === undefined) await showList();
  else await showDetail();
}

attempt(start);
