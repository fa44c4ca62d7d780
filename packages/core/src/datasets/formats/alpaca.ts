import { type Content, type Dropped, dropped, type Message } from '../types.ts';
import {
  badAnswer,
  columnsBeside,
  type DataFormat,
  type FieldOptions,
  findColumn,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  SYSTEMS,
  spelledIn,
  textOf,
} from './format.ts';

const PROMPTS = ['instruction', 'prompt', 'question', 'query', 'input'];
const INPUTS = ['input', 'context'];
const ANSWERS = ['output', 'response', 'answer', 'completion', 'chosen'];

/** Stanford Alpaca: `{"instruction": "…", "input": "…", "output": "…"}`, with earlier turns in `history` and a `system` prompt. */
export const alpaca: DataFormat = {
  name: 'alpaca',
  detect(rows, options) {
    const has = (column: string): boolean => mostOf(rows, (row) => typeof row[column] === 'string');
    const find = (demanded: string | null | undefined, names: readonly string[]): string | undefined =>
      findColumn(rows, demanded ? [demanded] : names, has);
    const instruction = find(options.fieldInstruction, PROMPTS);
    const output = find(options.fieldOutput, ANSWERS);
    return instruction === undefined || output === undefined ? null : reader(instruction, output, rows, options);
  },
  open: (rows, options) =>
    reader(
      spelledIn(rows, options.fieldInstruction ?? 'instruction'),
      spelledIn(rows, options.fieldOutput ?? 'output'),
      rows,
      options,
    ),
};

function reader(instruction: string, output: string, rows: readonly RowValue[], options: FieldOptions): RowReader {
  const find = (demanded: string | null | undefined, names: readonly string[]): string =>
    demanded ? spelledIn(rows, demanded) : (findColumn(rows, names) ?? (names[0] as string));
  const input = find(
    options.fieldInput,
    INPUTS.filter((name) => name !== instruction.toLowerCase()),
  );
  const system = find(options.fieldSystem, SYSTEMS);
  const earlier = find(null, ['history']);
  // TRL's names. A label beside Alpaca's own may be anything.
  const isTrl = instruction.toLowerCase() === 'prompt' && output.toLowerCase() === 'completion';
  const label = find(null, ['label']);
  const read = (value: RowValue): Content | Dropped => {
    for (const field of [instruction, input, output, system]) {
      if (textOf(value[field]) === null) return dropped('malformed_row', `the field '${field}' is not text`);
    }
    const [question, more, answer, prompt] = [instruction, input, output, system].map(
      (field) => textOf(value[field]) ?? '',
    );
    if (question === '' && more === '') return dropped('empty', `the fields '${instruction}' and '${input}' are empty`);
    if (answer === '' || answer === undefined) return dropped('empty', `the field '${output}' is empty`);
    const bad = isTrl ? badAnswer(value, label) : null;
    if (bad) return bad;
    const messages: Message[] = prompt ? [{ role: 'system', content: prompt }] : [];
    const noHistory = dropped('malformed_row', `the field '${earlier}' is not a list of [question, answer]`);
    const history = textOf(value[earlier]) === '' ? [] : listOf(value[earlier]);
    if (history === null) return noHistory;
    for (const pair of history) {
      const [asked, answered] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
      if (typeof asked !== 'string' || typeof answered !== 'string') return noHistory;
      messages.push({ role: 'user', content: asked }, { role: 'assistant', content: answered });
    }
    messages.push(
      { role: 'user', content: [question, more].filter(Boolean).join('\n') },
      { role: 'assistant', content: answer },
    );
    return { kind: 'chat', messages, train: messages.map(() => null), tools: null };
  };
  const fields = { instruction, input, output };
  return {
    format: 'alpaca',
    fields,
    read,
    unread: columnsBeside([instruction, input, output, system, earlier, ...(isTrl ? [label] : [])]),
  };
}
