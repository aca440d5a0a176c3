import { defineRoute, text, type Authentication, type Route } from '../shared/route.ts';
import type { EventStreams } from './event-streams.ts';
import type { Caller } from './session.ts';

export function createEventsRoute(
  streams: EventStreams,
  authentication: Authentication<Caller>,
): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/events',
    summary: "What changes in one's accounts, as server-sent events",
    description:
      'Events `changed` with JSON {certificateId, what}: grant, client_service, renewal, usage or mail; or null and `everything` when changes may have been missed. Read again on each, and after each time the stream was opened. It ends with the session.',
    tags: ['events'],
    authentication,
    problems: ['too_many_requests'],
    responses: {
      200: text('text/event-stream; charset=utf-8', 'Events, for as long as one listens.'),
    },
  }).handle(({ caller }) => ({
    status: 200,
    text: streams.open(caller),
    // Proxies are not to wait for the end of it.
    headers: { 'X-Accel-Buffering': 'no' },
  }));
}
