import { useState } from 'react';

/**
 * Why there is nothing to show. While it is being read again, which happens by itself at every change that is heard of, that is still the reason: without this a
 * fault would give way to an empty screen and come back each time.
 */
export function useSteadyError({
  data,
  error,
}: {
  readonly data: unknown;
  readonly error: unknown;
}): unknown {
  const [last, setLast] = useState<unknown>(null);
  const steady = error ?? (data === undefined ? last : null);
  if (steady !== last) setLast(steady);
  return steady;
}
