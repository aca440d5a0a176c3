import { defineRoute, empty, text, type Route } from '../shared/route.ts';
import type { Cookies } from './cookies.ts';
import { messagePolicy, type Pages } from './pages.ts';
import type { RenewalProcess } from './renewal-process.ts';
import { attemptCookie } from './session.ts';

const html = 'text/html; charset=utf-8';

const unknownReturn = [
  {
    language: 'pt-PT',
    title: 'Este regresso não pertence a nenhuma renovação',
    message: 'Nada foi feito. Vá ao certificado e comece a renovação de novo.',
    link: 'Ir para os certificados',
  },
  {
    language: 'en',
    title: 'This return belongs to no renewal',
    message: 'Nothing was done. Go to the certificate and start the renewal again.',
    link: 'Go to the certificates',
  },
] as const;
const unavailable = [
  {
    language: 'pt-PT',
    title: 'O backoffice não pode responder agora',
    message:
      'Carregue esta página de novo dentro de alguns segundos. Se nada resultar, comece a renovação de novo; o acesso está como estava.',
    link: 'Ir para os certificados',
  },
  {
    language: 'en',
    title: 'The backoffice cannot answer now',
    message:
      'Load this page again in a few seconds. If nothing comes of it, start the renewal again; the access is as it was before.',
    link: 'Go to the certificates',
  },
] as const;

/** Where the CA sends the browser back to. Always leads on to a page whose address holds neither code nor state. */
export function createCallbackRoute(
  { comeBack }: Pick<RenewalProcess, 'comeBack'>,
  pages: Pick<Pages, 'message'>,
  cookies: Cookies,
): Route {
  const headers = { 'Content-Security-Policy': messagePolicy };
  return defineRoute({
    method: 'GET',
    path: '/ca/callback',
    summary: 'Return from the CA, for browsers',
    description: 'Takes `state` with `code` or `error`, as RFC 6749 4.1.2 has it.',
    tags: ['renewals'],
    // A CA may add what it likes (RFC 6749 4.1.2).
    anyQuery: true,
    responses: {
      303: empty('On to the certificate; what came of it is shown there.'),
      400: text(html, 'A page: this return belongs to no renewal.'),
      503: text(html, 'A page: try again.'),
    },
  }).handle(async ({ ctx, log }) => {
    const parameters = new URLSearchParams(ctx.querystring);
    let renewal;
    try {
      renewal = await comeBack(parameters, (id) => cookies.read(ctx, attemptCookie(id)));
    } catch (error) {
      // A person looks at this, so it is a page whatever the fault.
      log.error({ err: error }, 'the return from the CA failed');
      return { status: 503, text: pages.message(unavailable), headers };
    }
    if (renewal === undefined) {
      return { status: 400, text: pages.message(unknownReturn), headers };
    }
    const { certificateId, renewalId } = renewal;
    const location = `/certificates/${encodeURIComponent(certificateId)}?renewal=${encodeURIComponent(renewalId)}`;
    return { status: 303, headers: { Location: location } };
  });
}
