import { defineRoute, empty, text, type Route } from '../shared/route.ts';
import { messagePage } from './pages.ts';
import type { RenewalProcess } from './renewal-process.ts';
import { attemptCookie } from './session.ts';

const html = 'text/html; charset=utf-8';

/** Where the CA sends the browser back to. Always leads on to a page whose address holds neither code nor state. */
export function createCallbackRoute({ comeBack }: Pick<RenewalProcess, 'comeBack'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/ca/callback',
    summary: 'Return from the CA, for browsers',
    description: 'Takes `state` with `code` or `error`, as RFC 6749 4.1.2 has it.',
    tags: ['renewals'],
    responses: {
      303: empty('On to the certificate; what came of it is shown there.'),
      400: text(html, 'A page: this return belongs to no renewal.'),
      503: text(html, 'A page: try again.'),
    },
  }).handle(async ({ ctx, log }) => {
    const parameters = new URLSearchParams(ctx.querystring);
    let renewal;
    try {
      renewal = await comeBack(parameters, (id) => ctx.cookies.get(attemptCookie(id)));
    } catch (error) {
      // A person looks at this, so it is a page whatever the fault.
      log.error({ err: error }, 'the return from the CA failed');
      return {
        status: 503,
        text: messagePage(
          'The backoffice cannot answer now',
          'Load this page again in a few seconds. If nothing comes of it, start the renewal again; the access is as it was before.',
        ),
      };
    }
    if (renewal === undefined) {
      return {
        status: 400,
        text: messagePage(
          'This return belongs to no renewal',
          'Nothing was done. Go to the certificate and start the renewal again.',
        ),
      };
    }
    const { certificateId, renewalId } = renewal;
    const location = `/certificates/${encodeURIComponent(certificateId)}?renewal=${encodeURIComponent(renewalId)}`;
    return { status: 303, headers: { Location: location } };
  });
}
