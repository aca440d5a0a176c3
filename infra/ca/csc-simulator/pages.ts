import type { Simulator } from './csc-call.ts';
import { html, page, type Html } from './html.ts';
import { generatorOtp } from './otp.ts';
import type { Credential } from './state.ts';

/** The login form. `request` is the id of the request for consent that waits behind it. */
export function loginPage(request: string, hint: Html, problem?: string): string {
  return page(
    'Sign in to your client account',
    html`${problem === undefined ? undefined : html`<p class="error" role="alert">${problem}</p>`}
      <form method="post" action="/simulator/sign-in">
        <input type="hidden" name="request" value="${request}" />
        <label for="email">E-mail</label>
        <input id="email" name="email" type="email" autocomplete="username" required autofocus />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
        <button type="submit">Sign in</button>
      </form>
      ${hint}`,
  );
}

/** The accounts that the simulator comes with, whose passwords are no secret. */
export function demonstrationHint(accounts: readonly { email: string; password: string }[]): Html {
  return html`<p>Accounts of the simulator:</p>
    <ul>
      ${accounts.map(({ email, password }) => html`<li>${email}, password <code>${password}</code></li>`)}
    </ul>`;
}

const lifetimes: readonly (readonly [number, string])[] = [
  [60 * 86_400, '60 days'],
  [6 * 86_400, '6 days'],
  [600, '10 minutes'],
  [180, '3 minutes'],
];

/** The consent form: who asks, for which certificates, for how long and how many signatures. */
export function consentPage(
  request: string,
  clientId: string,
  account: string,
  credentials: readonly Credential[],
): string {
  return page(
    'Allow access to your certificates',
    html`<p>
        Signed in as <strong>${account}</strong>.
        <a href="/simulator/sign-in?request=${encodeURIComponent(request)}"
          >Sign in as someone else</a
        >
      </p>
      <p><strong>${clientId}</strong> asks to use the certificates of this account:</p>
      <ul>
        ${credentials.map((each) => html`<li>${each.credentialID}: ${each.certificate.subject}</li>`)}
      </ul>
      <form method="post" action="/simulator/consent">
        <input type="hidden" name="request" value="${request}" />
        <fieldset>
          <legend>How long the next authorization holds</legend>
          ${lifetimes.map(
            ([seconds, name], index) =>
              html`<label
                ><input
                  type="radio"
                  name="lifetime"
                  value="${seconds}"
                  ${index === 0 ? html`checked` : undefined}
                />
                ${name}</label
              >`,
          )}
          <label for="lifetimeSeconds">Or so many seconds</label>
          <input id="lifetimeSeconds" name="lifetimeSeconds" type="number" min="1" step="1" />
        </fieldset>
        <label for="multisign">How many signatures it allows</label>
        <input
          id="multisign"
          name="multisign"
          type="number"
          min="1"
          step="1"
          value="1000000000"
          required
        />
        <button type="submit" name="decision" value="allow">Allow</button>
        <button type="submit" name="decision" value="deny">Deny</button>
      </form>`,
  );
}

/** What the holders' phones show: the last code sent, or the code generator. */
export function phonePage(simulator: Simulator, account: string | undefined): string {
  const credentials = simulator.state.credentials.filter(
    (each) => each.otp !== undefined && (account === undefined || each.account === account),
  );
  return page(
    'Phone',
    html`<p>
        The codes a holder would get as a text message, or read off a code generator.
        <a href="">Look again</a>
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Credential</th>
            <th scope="col">Code</th>
            <th scope="col">Says</th>
          </tr>
        </thead>
        <tbody>
          ${credentials.map((each) => phoneRow(each, simulator.now()))}
        </tbody>
      </table>`,
  );
}

function phoneRow(credential: Credential, now: Date): Html {
  const { sentOtp } = credential;
  const offline = credential.otp?.type === 'offline';
  const code = offline ? generatorOtp(credential, now) : sentOtp?.value;
  const says = offline
    ? 'Code generator; a new code each minute'
    : sentOtp === undefined
      ? 'Nothing was sent'
      : `Sent at ${sentOtp.sentAt}, good until ${sentOtp.expiresAt}${sentOtp.used ? ', used' : ''}`;
  return html`<tr>
    <th scope="row">${credential.credentialID}<br />${credential.account}</th>
    <td><span class="code" data-credential="${credential.credentialID}">${code}</span></td>
    <td>${says}</td>
  </tr>`;
}

export function homePage(simulator: Simulator): string {
  const credentials = simulator.state.credentials;
  return page(
    'CA simulator',
    html`<p>
        A Cloud Signature Consortium service: <code>${simulator.origin}/csc/v1/</code> and
        <code>${simulator.origin}/csc/v2/</code>.
      </p>
      <ul>
        <li><a href="/simulator/phone">Phone</a>: the codes that were sent</li>
        <li><a href="/simulator/state">State</a>: calls, locks and authorizations (JSON)</li>
      </ul>
      <h2>Credentials</h2>
      <ul>
        ${credentials.map((each) => html`<li>${each.credentialID} of ${each.account}</li>`)}
      </ul>`,
  );
}

export const problemPage = (title: string, text: string): string =>
  page(title, html`<p class="error" role="alert">${text}</p>`);
