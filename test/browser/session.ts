import { createOperatorDriver, expectAnswer } from '../../services/stack/operator-driver.ts';

export type Credentials = { readonly email: string; readonly password: string };

/** Signs in over HTTP, which is quicker than a form; answers the cookie for a browser, and what calls the API in the same session. */
export async function openSession(url: string, { email, password }: Credentials) {
  const driver = createOperatorDriver(url);
  const answer = await driver.signIn(email, password);
  expectAnswer(answer, 200);
  const [pair = ''] = answer.headers.getSetCookie()[0]?.split(';') ?? [];
  const [name = '', value = ''] = pair.split('=');
  const cookie = { name, value, url, httpOnly: true, sameSite: 'Lax' as const };
  return { driver, cookie };
}
