/** What the data screen asks the agent. */
import type { DataRow, DataSourceName, DataState, OtherText, RowWindow } from '@anneal/core/protocol/dataView';
import type { RowFilter } from '@anneal/core/protocol/rowVerdicts';
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { rowAnswers } from './addressValues.ts';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** Rows that are asked for together. */
export const windowRows = 100;

export function useDataList() {
  const enabled = useHasSocket();
  return useQuery({ queryKey: ['data-list'], queryFn: () => agent().data.list.query(), enabled });
}

/** What is open, kept as it is now. `again` opens it anew. */
export function useDataState(name: DataSourceName): {
  state: DataState | undefined;
  error: unknown;
  again: () => void;
} {
  const hasSocket = useHasSocket();
  const queries = useQueryClient();
  const [attempt, setAttempt] = useState(0);
  const [shown, setShown] = useState<{ key: string; state?: DataState; error?: unknown }>();
  const { recipe, file, hub, model, mapping } = name;
  const key = JSON.stringify([recipe, file, hub, model, mapping, attempt]);
  useEffect(() => {
    if (!hasSocket) return;
    const subscription = agent().data.watch.subscribe(
      { recipe, file, hub, model, mapping },
      {
        onData: (state) => setShown({ key, state }),
        onError: (error) => setShown({ key, error }),
      },
    );
    return () => subscription.unsubscribe();
  }, [hasSocket, recipe, file, hub, model, mapping, key]);
  const again = useCallback(() => {
    queries.removeQueries({ queryKey: ['data'] });
    setAttempt((count) => count + 1);
  }, [queries]);
  const current = shown?.key === key ? shown : undefined;
  return { state: current?.state, error: current?.error, again };
}

/** Which rows are shown. */
export interface RowChoice {
  filter: RowFilter;
  search: string | null;
}

/** Rows from number `page · windowRows` on of those that are chosen. */
export function windowQuery(name: DataSourceName, { filter, search }: RowChoice, page: number) {
  const request = { ...name, filter, search, offset: page * windowRows, limit: windowRows };
  return {
    queryKey: ['data', name, 'rows', filter, search, page],
    queryFn: (): Promise<RowWindow> => agent().data.rows.query(request),
    staleTime: Number.POSITIVE_INFINITY,
  };
}

export const answers = rowAnswers;
export type Answer = (typeof answers)[number];

/** As many tokens as one answer has. */
export const partTokens = 2000;

/** @param answer of a preference pair, which of the two; @param other another template or tokenizer reads it */
export function rowQuery(
  name: DataSourceName,
  row: number,
  from: number,
  answer: Answer = 'chosen',
  other: OtherText | null = null,
) {
  return {
    queryKey: ['data', name, 'row', row, from, answer, other],
    queryFn: (): Promise<DataRow> => agent().data.row.query({ ...name, row, from, answer, other }),
    staleTime: 60_000,
  };
}

/** The parts of a row that have come. As `combine` of `useQueries` they stay the same as long as nothing else comes. */
export function partsOf(asked: readonly UseQueryResult<DataRow>[]): { parts: DataRow[]; error: unknown } {
  return {
    parts: asked.flatMap(({ data }) => (data ? [data] : [])),
    error: asked.find((part) => part.error)?.error,
  };
}

/** Finds the next of the rows that are chosen. */
export function findRow(
  name: DataSourceName,
  { filter, search }: RowChoice,
  row: number,
  direction: 'forward' | 'backward',
): Promise<number | null> {
  return agent().data.find.query({ ...name, filter, search, row, direction });
}
