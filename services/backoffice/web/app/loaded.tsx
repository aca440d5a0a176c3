import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Skeleton } from '../design/skeleton.tsx';
import { useTexts } from '../language/texts.ts';
import { words } from '../language/words.ts';
import { FaultNotice } from './fault.tsx';
import { useSteadyError } from './steady-error.ts';

type Read<T> = Pick<UseQueryResult<T>, 'data' | 'error'> & { readonly refetch: () => unknown };

/** What was read, or that it is being read, or why it cannot be. What was read before stays, with the fault above it. */
export function Loaded<T>({
  query,
  lines,
  children,
}: {
  readonly query: Read<T>;
  readonly lines?: number;
  readonly children: (data: T) => ReactNode;
}) {
  const { loading } = useTexts(words);
  const { data, refetch } = query;
  const error = useSteadyError(query);
  const fault = error !== null && <FaultNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) {
    return fault === false ? <Skeleton label={loading} {...(lines && { lines })} /> : fault;
  }
  return (
    <>
      {fault}
      {children(data)}
    </>
  );
}
