import type { UseQueryResult } from '@tanstack/react-query';
import type { AttentionList as Attention } from '../../api/contract.ts';
import { Loaded } from '../../app/loaded.tsx';

/** What needs somebody, most urgent first, each with the way there. */
export function AttentionList({
  query,
}: {
  readonly query: UseQueryResult<Attention>;
  readonly onGo: () => void;
}) {
  return <Loaded query={query}>{({ items }) => <p>{items.length}</p>}</Loaded>;
}
