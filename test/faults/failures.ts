/** Said by a process that ends by an error nobody caught (services/shared/lifecycle.ts). That it could not start, or could not read on, is an answer to a fault. */
const ownFailure = /^(worker|usage|backoffice|gate) failed$/;

/** Processes that ended of a fault of their own, from their logs. */
export function failuresIn(logs: Readonly<Record<string, string>>): string[] {
  return Object.entries(logs).flatMap(([file, log]) =>
    log.split('\n').flatMap((line) => {
      if (!line.includes('failed"')) return [];
      const said = parsed(line);
      return said !== undefined && ownFailure.test(said.msg ?? '')
        ? [`${file}: ${said.msg ?? ''}: ${JSON.stringify(said.err ?? '').slice(0, 600)}`]
        : [];
    }),
  );
}

type Said = { readonly msg?: string; readonly err?: unknown };

function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said;
  } catch {
    return undefined;
  }
}
