import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import type { TimelineEntry, TimelinePage } from '../../api/contract.ts';
import { timelinePath, type TimelineFilter } from '../../api/queries.ts';
import { serverNowMs } from '../../api/server-clock.ts';
import { saveFile } from '../../app/save-file.ts';

/** As many as the server gives at once. */
const pageLength = 500;

/** Reads the timeline to its end, page after page, and saves it as a JSON file. `count` is how many entries were read so far. */
export function useSaveTimeline(certificateId: string, type: TimelineFilter) {
  const [count, setCount] = useState(0);
  const leaving = useRef<AbortController>(undefined);
  useEffect(() => () => leaving.current?.abort(), []);

  const save = useMutation({
    mutationFn: async () => {
      setCount(0);
      leaving.current = new AbortController();
      const { signal } = leaving.current;
      const items: TimelineEntry[] = [];
      let cursor: string | undefined;
      do {
        const path = timelinePath(certificateId, { type, limit: pageLength, cursor });
        const page = await call<TimelinePage>('GET', path, { signal });
        items.push(...page.items);
        setCount(items.length);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      signal.throwIfAborted();
      const madeAt = new Date(serverNowMs()).toISOString();
      const content = JSON.stringify({ certificateId, type: type ?? null, madeAt, items }, null, 2);
      saveFile(`timeline-${madeAt.slice(0, 10)}.json`, 'application/json', content);
    },
  });
  return { save, count };
}
