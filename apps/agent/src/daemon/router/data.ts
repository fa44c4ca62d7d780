/** Data sets as they are looked at: the rows of a recipe or of a file, one of them token by token, what becomes of them all. */
import type { ProposedMapping } from '@anneal/core/protocol/columns';
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
import {
  addRowRequest,
  type EditedRow,
  editRowRequest,
  type RecipeOfFile,
  rowRequest,
} from '@anneal/core/protocol/rowEdits';
import { z } from 'zod';
import { finish } from '../../service/finish.ts';
import { recipesOf, rowToEdit, startAdding, startEdit, useVersion } from '../data/rowEdits.ts';
import { newestOf } from './newestOf.ts';
import { nothing, procedure, router } from './trpc.ts';

const named = dataSourceName;
const key = z.string().min(1).max(1024);

export const data = router({
  list: procedure.input(nothing).query(({ ctx }): Promise<ListedData> => ctx.agent.data.list()),

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
      ({ ctx, input: { row, from, answer, other, ...name } }): Promise<DataRow> =>
        ctx.agent.data.use(name, (opened) =>
          finish(opened.call('row', { row, from, answer, other: ctx.agent.data.otherText(other) })),
        ),
    ),

  /** A row as it stands in its file, to be edited. */
  rowToEdit: procedure.input(rowRequest).query(({ ctx, input }): Promise<EditedRow> => rowToEdit(ctx.agent, input)),

  /** Begins a job that writes a new version of the file, in which the row is another one or gone. */
  editRow: procedure
    .input(editRowRequest.omit({ by: true }))
    .mutation(({ ctx, input }): { job: string } => ({ job: startEdit(ctx.agent, { ...input, by: ctx.me.name }) })),

  /** Begins a job that writes a new version of the file, with a row more at its end. */
  addRow: procedure
    .input(addRowRequest.omit({ by: true }))
    .mutation(({ ctx, input }): { job: string } => ({ job: startAdding(ctx.agent, { ...input, by: ctx.me.name }) })),

  /** The recipes that name a data file. */
  recipesOf: procedure
    .input(z.strictObject({ file: key }))
    .query(({ ctx, input }): Promise<RecipeOfFile[]> => recipesOf(ctx.agent, input.file)),

  /** Lets a recipe name a version of a file where it names the file. */
  useVersion: procedure
    .input(z.strictObject({ recipe: key, file: key, version: key }))
    .mutation(({ ctx, input }): Promise<void> => useVersion(ctx.agent, input, ctx.me.name)),

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

  /** How the columns of a data file may be read. */
  columns: procedure
    .input(named)
    .query(
      ({ ctx, input }): Promise<ProposedMapping> =>
        ctx.agent.data.use(input, (opened) => finish(opened.call('columns', undefined))),
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
