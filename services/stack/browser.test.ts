import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createBrowser, parseForms } from './browser.ts';

/** A server on a free port for one test. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; readonly close: () => void }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('the browser of the seed and of the tests', () => {
  it('sends cookies back to the host and path they are for, whatever the port', async () => {
    const seen: (string | undefined)[] = [];
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      seen.push(request.headers.cookie);
      response.setHeader('set-cookie', ['a=1; Path=/; HttpOnly', 'b=2; Path=/ca; Max-Age=60']);
      response.end();
    };
    const first = await serve(answer);
    const second = await serve(answer);
    try {
      const browser = createBrowser();
      await browser.open(`${first.url}/`);
      await browser.open(`${second.url}/ca/callback`);
      await browser.open(`${second.url}/cars`);
      await createBrowser().open(`${second.url}/`);
      expect(seen).toEqual([undefined, 'a=1; b=2', 'a=1', undefined]);
    } finally {
      first.close();
      second.close();
    }
  });

  it('forgets a cookie that the server takes back', async () => {
    const seen: (string | undefined)[] = [];
    const { url, close } = await serve((request, response) => {
      seen.push(request.headers.cookie);
      const age = request.url === '/out' ? 0 : 60;
      response.setHeader('set-cookie', `a=1; Path=/; Max-Age=${age}`).end();
    });
    try {
      const browser = createBrowser();
      for (const path of ['/in', '/out', '/']) await browser.open(`${url}${path}`);
      expect(seen).toEqual([undefined, 'a=1', undefined]);
    } finally {
      close();
    }
  });

  it('follows no redirect by itself and says where it leads', async () => {
    const { url, close } = await serve((_, response) => {
      response.writeHead(303, { location: '/next?x=1' }).end();
    });
    try {
      const page = await createBrowser().open(`${url}/start`);
      expect(page).toMatchObject({ status: 303, location: `${url}/next?x=1` });
    } finally {
      close();
    }
  });

  it('sends a form with what stood in it and what was typed, and tells its origin', async () => {
    let received: unknown;
    const { url, close } = await serve((request, response) => {
      void text(request).then((body) => {
        received = { body, origin: request.headers.origin, method: request.method };
        response.end();
      });
    });
    try {
      const [form] = parseForms(
        `<form method="post" action="/consent"><input type="hidden" name="request" value="a&amp;b" />
         <input type="radio" name="lifetime" value="60" checked /> <input type="radio" name="lifetime" value="6" />
         <input name="seconds" type="number" /> <button type="submit" name="decision" value="allow">Allow</button></form>`,
        `${url}/page`,
      );
      if (form === undefined) throw new Error('no form');
      expect(form.names).toEqual(['request', 'lifetime', 'seconds', 'decision']);
      await createBrowser().submit(form, { seconds: '5', decision: 'allow' });
      expect(received).toEqual({
        body: 'request=a%26b&lifetime=60&seconds=5&decision=allow',
        origin: url,
        method: 'POST',
      });
    } finally {
      close();
    }
  });
});
