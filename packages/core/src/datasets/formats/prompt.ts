import { answerOf } from '../../templates/promptFormat.ts';
import { type Content, type Dropped, dropped, type Message } from '../types.ts';
import {
  columnsBeside,
  type DataFormat,
  type FieldOptions,
  type RowReader,
  type RowValue,
  spelledIn,
  textOf,
} from './format.ts';

/**
 * Columns for a prompt that the recipe writes out (`type: {format: …}`). The prompt itself is the chat template then, so that a
 * row is a question with its input, and an answer.
 */
export const prompt: DataFormat = {
  name: 'prompt',
  detect: () => null,
  open: reader,
};

function reader(rows: readonly RowValue[], options: FieldOptions): RowReader {
  const column = (demanded: string | null | undefined, usual: string): string => spelledIn(rows, demanded ?? usual);
  const fields = {
    instruction: column(options.fieldInstruction, 'instruction'),
    input: column(options.fieldInput, 'input'),
    output: column(options.fieldOutput, 'output'),
    ...(options.fieldThinking && { thinking: column(options.fieldThinking, 'thinking') }),
    ...(options.fieldSystem && { system: column(options.fieldSystem, 'system') }),
  };
  const format = options.promptFormat ?? '';
  const read = (value: RowValue): Content | Dropped => {
    const absent = [fields.instruction, fields.output, ...(fields.thinking ? [fields.thinking] : [])].find(
      (field) => !(field in value),
    );
    if (absent !== undefined) {
      const columns = Object.keys(value).slice(0, 12).join(', ');
      return dropped('malformed_row', `there is no field '${absent}' among ${columns}`);
    }
    const texts: Record<string, string> = {};
    for (const [part, field] of Object.entries(fields)) {
      const text = textOf(value[field]);
      if (text === null) return dropped('malformed_row', `the field '${field}' is not text`);
      texts[part] = text;
    }
    const { instruction = '', input = '', output = '', thinking = '', system = '' } = texts;
    if (instruction === '' && input === '') {
      return dropped('empty', `the fields '${fields.instruction}' and '${fields.input}' are empty`);
    }
    if (output === '') return dropped('empty', `the field '${fields.output}' is empty`);
    const messages: Message[] = [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: instruction, ...(input !== '' && { input }) },
      { role: 'assistant', content: answerOf(format, { thinking, output }) },
    ];
    return { kind: 'chat', messages, train: messages.map(() => null), tools: null };
  };
  return { format: 'prompt', fields, read, unread: columnsBeside(Object.values(fields)) };
}
