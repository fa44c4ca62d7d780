/** Data sets as they are looked at: the rows of a recipe or of a file, one of them token by token, what becomes of them all. */
import type { DataReportResult } from '@anneal/core/protocol/data';
import {
  type DataRow,
  type DataState,
  dataRowRequest,
  dataSourceName,
  findRowRequest,
  type ListedData,
  lengthsRequest,
  type RowLengths,
  type RowWindow,
  rowWindowRequest,
} from '@anneal/core/protocol/dataView';
import { finish } from '../../service/finish.ts';
import { newestOf } from './newestOf.ts';
import { procedure, router } from './trpc.ts';

const named = dataSourceName;

export const data = router({
  list: procedure.query(({ ctx }): Promise<ListedData> => ctx.agent.data.list()),

  /** What is open and how far its rows are judged, now and after each change. It stays open as long as somebody listens. */
  watch: procedure.input(named).subscription(async function* ({ ctx, input, signal }): AsyncGenerator<DataState> {
    yield* newestOf<DataState, void>(
      (report, left) => ctx.agent.data.use(input, (opened) => finish(opened.call('watch', undefined, left), report)),
      ctx.pace,
      signal,
    );
  }),

  rows: procedure
    .input(named.and(rowWindowRequest))
    .query(
      ({ ctx, input: { filter, search, offset, limit, ...name } }): Promise<RowWindow> =>
        ctx.agent.data.use(name, (opened) => finish(opened.call('rows', { filter, search, offset, limit }))),
    ),

  row: procedure
    .input(named.and(dataRowRequest))
    .query(
      ({ ctx, input: { row, from, ...name } }): Promise<DataRow> =>
        ctx.agent.data.use(name, (opened) => finish(opened.call('row', { row, from }))),
    ),

  /** The number of the next row that a filter lets through; null where there is none. */
  find: procedure
    .input(named.and(findRowRequest))
    .query(
      ({ ctx, input: { filter, search, row, direction, ...name } }): Promise<number | null> =>
        ctx.agent.data.use(name, (opened) => finish(opened.call('find', { filter, search, row, direction }))),
    ),

  lengths: procedure
    .input(named.and(lengthsRequest))
    .query(
      ({ ctx, input: { sequenceLen, ...name } }): Promise<RowLengths> =>
        ctx.agent.data.use(name, (opened) => finish(opened.call('lengths', { sequenceLen }))),
    ),

  /** Packing, duplicates and leakage, from the rows as they are prepared for training. */
  report: procedure.input(named).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<DataReportResult> {
    yield await ctx.agent.data.report(input, signal ?? new AbortController().signal);
  }),

  /** Begins to judge all rows; `watch` tells how far that is. */
  judge: procedure
    .input(named)
    .mutation(
      ({ ctx, input }): Promise<void> => ctx.agent.data.use(input, (opened) => finish(opened.call('judge', undefined))),
    ),

  stopJudging: procedure
    .input(named)
    .mutation(
      ({ ctx, input }): Promise<void> =>
        ctx.agent.data.use(input, (opened) => finish(opened.call('stopJudging', undefined))),
    ),
});
