import { Readable } from 'node:stream';
import { z } from 'zod';
import { Problem } from '../../domain/errors.ts';
import { listTimeline, type TimelinePosition } from '../../infra/postgres/timeline.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { idParams } from './certificate-routes.ts';
import { getCertificate } from './guards.ts';
import type { RouteParts } from './route-parts.ts';
import {
  filterOf,
  presentTimelineEntry,
  timelineCsvHead,
  timelineCsvLine,
  timelineEntry,
  timelineTypes,
} from './timeline-view.ts';

const largestPage = 500;

const timelineQuery = z.strictObject({
  type: z.enum(timelineTypes).optional(),
  /** Of a page; a CSV file has no pages and takes all that follows. */
  limit: z.coerce.number().int().min(1).max(largestPage).default(100),
  cursor: z.string().max(2000).optional(),
  format: z.enum(['json', 'csv']).default('json'),
});

export function createTimelineRoutes({ store, authentication }: RouteParts): Route[] {
  const { database, clock } = store;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/certificates/:id/timeline',
      summary: 'What happened to a certificate, newest first; as CSV the whole of it is a file',
      tags: ['certificates'],
      authentication,
      params: idParams,
      query: timelineQuery,
      responses: {
        200: {
          description: 'A page as JSON, or everything from the cursor on as CSV.',
          json: z.strictObject({
            items: z.array(timelineEntry),
            nextCursor: z.string().nullable(),
          }),
          text: 'text/csv; charset=utf-8; header=present',
        },
      },
    }).handle(async ({ caller, params, query }) => {
      await getCertificate(store, caller, params.id, 'read');
      const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
      const pageAfter = async (position: TimelinePosition | undefined, limit: number) => {
        const filter = filterOf(query.type);
        const { rows, next } = await listTimeline(database, params.id, filter, position, limit);
        return { entries: rows.map(presentTimelineEntry), next };
      };
      if (query.format === 'json') {
        const { entries, next } = await pageAfter(after, query.limit);
        return {
          status: 200,
          body: { items: entries, nextCursor: next ? formatCursor(next) : null },
        };
      }
      // The first page before the answer begins, so that what goes wrong by then is a problem and no broken file.
      const first = await pageAfter(after, largestPage);
      async function* lines() {
        yield timelineCsvHead;
        for (let page = first; ; page = await pageAfter(page.next, largestPage)) {
          yield page.entries.map(timelineCsvLine).join('');
          if (page.next === undefined) return;
        }
      }
      const day = clock.now().toISOString().slice(0, 10);
      return {
        status: 200,
        text: Readable.from(lines()),
        headers: { 'Content-Disposition': `attachment; filename="timeline-${day}.csv"` },
      };
    }),
  ];
}

const position = z.tuple([
  z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    .refine(isInstant),
  z.int(),
  z.string(),
]);

/** A day that no month has would be PostgreSQL's error. */
function isInstant(text: string): boolean {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 19) === text.slice(0, 19);
}

const formatCursor = ({ at, eventId, id }: TimelinePosition): string =>
  Buffer.from(JSON.stringify([at, eventId, id])).toString('base64url');

function parseCursor(cursor: string): TimelinePosition {
  try {
    const [at, eventId, id] = position.parse(
      JSON.parse(Buffer.from(cursor, 'base64url').toString()),
    );
    if (!id.includes('\0')) return { at, eventId, id };
  } catch {
    // Answered below like any other cursor that is not ours.
  }
  throw new Problem('invalid_request', {
    faults: [{ path: 'query.cursor', message: 'This is not a cursor of this list.' }],
  });
}
