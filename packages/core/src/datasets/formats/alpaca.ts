import { type Content, type Dropped, dropped } from '../types.ts';
import {
  badAnswer,
  columnsBeside,
  type DataFormat,
  type FieldOptions,
  findColumn,
  isObject,
  LABELS,
  labelOf,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  SYSTEMS,
  spelledIn,
  textOf,
} from './format.ts';
import { usualRole } from './roles.ts';

const PROMPTS = ['instruction', 'prompt', 'question', 'query', 'problem', 'input'];
const INPUTS = ['input', 'context'];
/** A solution leads to the answer, where there are both. */
export const ANSWERS = ['output', 'response', 'solution', 'answer', 'completion', 'chosen'];

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
  const label = find(null, isTrl ? LABELS : ['kto_tag']);
  const read = (value: RowValue): Content | Dropped => {
    for (const field of [instruction, input, output, system]) {
      if (textOf(value[field]) === null) return dropped('malformed_row', `the field '${field}' is not text`);
    }
    const [question, more, answer, prompt] = [instruction, input, output, system].map(
      (field) => textOf(value[field]) ?? '',
    );
    if (question === '' && more === '') return dropped('empty', `the fields '${instruction}' and '${input}' are empty`);
    if (answer === '' || answer === undefined) return dropped('empty', `the field '${output}' is empty`);
    const bad = badAnswer(value, label);
    if (bad) return bad;
    const history = textOf(value[earlier]) === '' ? [] : historyIn(listOf(value[earlier]));
    if (history === null) {
      return dropped('malformed_row', `the field '${earlier}' is no list of [question, answer], and none of messages`);
    }
    const turns: Turn[] = [
      ...(prompt ? [{ role: 'system', content: prompt }] : []),
      ...history,
      { role: 'user', content: [question, more].filter(Boolean).join('\n') },
      { role: 'assistant', content: answer },
    ];
    const messages = turns.map(({ role, content }) => ({ role, content }));
    return { kind: 'chat', messages, train: turns.map(({ train = null }) => train), tools: null };
  };
  const fields = { instruction, input, output };
  return {
    format: 'alpaca',
    fields,
    read,
    unread: (value) =>
      columnsBeside([instruction, input, output, system, earlier])(value).filter(
        (column) => column !== label || labelOf(value[label]) === null,
      ),
  };
}

interface Turn {
  readonly role: string;
  readonly content: string;
  readonly train?: false;
}

/** Pairs of question and answer, which are turns like any other, or messages, which are a prompt; null for anything else. */
function historyIn(list: readonly unknown[] | null): Turn[] | null {
  const turns = (list ?? [null]).map((item): Turn[] | null => {
    if (Array.isArray(item)) {
      const [asked, answered] = item as readonly unknown[];
      if (typeof asked !== 'string' || typeof answered !== 'string') return null;
      return [
        { role: 'user', content: asked },
        { role: 'assistant', content: answered },
      ];
    }
    if (!isObject(item)) return null;
    const { role, isCall } = usualRole(item.role ?? item.from) ?? {};
    const content = item.content ?? item.value;
    const isText = role !== undefined && role !== 'tool' && !isCall && typeof content === 'string';
    return isText ? [{ role, content, train: false }] : null;
  });
  return turns.includes(null) ? null : (turns as Turn[][]).flat();
}
