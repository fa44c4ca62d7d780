import { type Content, type Dropped, dropped, type Message } from '../types.ts';
import {
  badAnswer,
  type DataFormat,
  type FieldOptions,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  textOf,
} from './format.ts';

const PROMPTS = ['instruction', 'prompt', 'question'];
const ANSWERS = ['output', 'response', 'answer', 'completion'];

/** Stanford Alpaca: `{"instruction": "…", "input": "…", "output": "…"}`, with earlier turns in `history` and a `system` prompt. */
export const alpaca: DataFormat = {
  name: 'alpaca',
  detect(rows, options) {
    const has = (name: string): boolean => mostOf(rows, (row) => typeof row[name] === 'string');
    const instruction = options.fieldInstruction ?? PROMPTS.find(has);
    const output = options.fieldOutput ?? ANSWERS.find(has);
    if (instruction === undefined || output === undefined || !has(instruction) || !has(output)) return null;
    return reader(instruction, output, options);
  },
  open: (_rows, options) => reader(options.fieldInstruction ?? 'instruction', options.fieldOutput ?? 'output', options),
};

function reader(instruction: string, output: string, options: FieldOptions): RowReader {
  const input = options.fieldInput ?? 'input';
  const system = options.fieldSystem ?? 'system';
  const read = (value: RowValue): Content | Dropped => {
    for (const field of [instruction, input, output, system]) {
      if (textOf(value[field]) === null) return dropped('malformed_row', `the field '${field}' is not text`);
    }
    const [question, more, answer, prompt] = [instruction, input, output, system].map(
      (field) => textOf(value[field]) ?? '',
    );
    if (question === '' && more === '') return dropped('empty', `the fields '${instruction}' and '${input}' are empty`);
    if (answer === '' || answer === undefined) return dropped('empty', `the field '${output}' is empty`);
    // TRL's names. A label beside Alpaca's own may be anything.
    const bad = instruction === 'prompt' && output === 'completion' ? badAnswer(value) : null;
    if (bad) return bad;
    const messages: Message[] = prompt ? [{ role: 'system', content: prompt }] : [];
    const noHistory = dropped('malformed_row', "the field 'history' is not a list of [question, answer]");
    const history = textOf(value.history) === '' ? [] : listOf(value.history);
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
  return { format: 'alpaca', fields: { instruction, input, output }, read };
}
