/** The rows of another agent as its trainer sees them, put together from the parts that it sends. */
import { UserError } from '@anneal/core/errors';
import {
  type DataReportResult,
  type InspectedRow,
  type InspectedText,
  type InspectedToken,
  type InspectRequest,
  inspectedRowSchema,
  type RowRange,
} from '@anneal/core/protocol/data';
import type { DataRow, DataRowRequest, DataSourceName } from '@anneal/core/protocol/dataView';
import type { OpenedRows } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { recipeThere } from './names.ts';
import { notRemote } from './notRemote.ts';

export async function openDataThere(connection: Connection, request: InspectRequest): Promise<OpenedRows> {
  if (request.set !== undefined && request.set.length > 0) {
    throw notRemote('the agent shows the data as the recipe says', '--set', 'leave it out, or change the recipe there');
  }
  const { ask, first } = connection;
  const name = await sourceThere(connection, request);
  return {
    rows: { range: (range) => rowsOf(connection, name, range) },
    async isPacked() {
      const { recipe } = name;
      if (!recipe) return true;
      return (await ask((api) => api.recipes.validate.query({ recipe }))).recipe.sample_packing === true;
    },
    report: () =>
      reporting(() => first<DataReportResult>((api, listener) => api.data.report.subscribe(name, listener))),
    close: async () => undefined,
  };
}

async function sourceThere(
  connection: Connection,
  { source, model, set = [] }: InspectRequest,
): Promise<DataSourceName> {
  if (/\.ya?ml$/i.test(source))
    return { recipe: await recipeThere(connection, source), file: null, hub: null, model: null, mapping: null };
  const { files, hub } = await connection.ask((api) => api.data.list.query());
  const read = { recipe: null, model: model ?? null, mapping: set.join('\n') || null };
  const file = files.find(({ key }) => key === source.replace(/^\.\//, ''))?.key;
  if (file !== undefined) return { ...read, file, hub: null };
  const pulled = hub.filter(({ key, id, isWhole }) => isWhole && (key === source || id === source));
  if (pulled.length === 1) return { ...read, file: null, hub: pulled[0]?.key ?? null };
  if (pulled.length > 1) {
    throw new UserError({
      what: `the agent has ${pulled.length} parts of this data set`,
      where: `${source} at ${connection.address.url.origin}`,
      next: `name one of them: ${pulled.map(({ key }) => key).join(', ')}`,
      code: 'dataset_ambiguous',
    });
  }
  throw new UserError({
    what: 'the agent has no such data file, and has pulled no such data set',
    where: `${source} at ${connection.address.url.origin}`,
    next:
      files.length > 0
        ? `name one of its own: ${files
            .slice(0, 10)
            .map(({ key }) => key)
            .join(', ')}`
        : 'send one by its studio, or put it into the folder that it serves',
    code: 'file_not_found',
  });
}

async function* rowsOf(
  { ask }: Connection,
  name: DataSourceName,
  { first, last }: RowRange,
): AsyncGenerator<InspectedRow, void> {
  const window = await ask((api) => api.data.rows.query({ ...name, offset: 0, limit: 1 }));
  for (let row = first; row <= Math.min(last, window.total); row++) {
    const part = (request: Omit<DataRowRequest, 'row'>) =>
      ask((api) => api.data.row.query({ ...name, row, ...request }));
    const { sent, text } = await wholeText((from) => part({ from }));
    const rejected = sent.rejected && (await wholeText((from) => part({ from, answer: 'rejected' }))).text;
    yield inspectedRowSchema.parse({
      ...sent,
      ...text,
      value: sent.isValueCut ? { 'beginning of a long row': sent.value } : JSON.parse(sent.value),
      rejected: rejected ?? undefined,
    });
  }
}

/** Puts a text together from its parts. @returns beside it the last of them */
async function wholeText(
  partFrom: (token: number) => Promise<DataRow>,
): Promise<{ sent: DataRow; text: InspectedText }> {
  const tokens: InspectedToken[] = [];
  const turns: InspectedText['turns'][number][] = [];
  let text = '';
  for (;;) {
    const sent = await partFrom(tokens.length);
    tokens.push(...(sent.tokens ?? []));
    text = text.slice(0, sent.textStart) + (sent.text ?? '');
    // One that goes on from the part before comes with both.
    const isNew = ({ start, message }: (typeof turns)[number]) =>
      !turns.some((turn) => turn.start === start && turn.message === message);
    turns.push(...sent.turns.filter(isNew));
    if (!sent.isLast) continue;
    const { leftOut, tokenCount, targetTokens } = sent;
    const whole: InspectedText = {
      text: sent.text === null ? null : text,
      turns,
      leftOut,
      tokens: sent.tokens === null ? null : tokens,
      tokenCount,
      targetTokens,
      tokensLeftOut: (tokenCount ?? tokens.length) - tokens.length,
    };
    return { sent, text: whole };
  }
}
