/** A question and its answer as a row, in the form of the other rows of its file. */
import { UserError } from '@anneal/formats/errors';
import type { ColumnMapping } from '../protocol/columns.ts';
import type { AnsweredQuestion } from '../protocol/rowEdits.ts';
import type { RowValue } from './formats/format.ts';
import { proposeMapping } from './proposeMapping.ts';

/**
 * @param rows the first of the file
 * @returns JSON
 * @throws UserError `row_form_unknown` where such rows have no place for it
 */
export function rowOfAnswer(rows: readonly RowValue[], said: AnsweredQuestion, file: string): string {
  const { mapping, columns } = proposeMapping(rows);
  const names = columns.map(({ name }) => name);
  const isOfPairs = names.some((name) => /^(chosen|rejected|label)$/.test(name));
  const row = mapping && !isOfPairs ? rowFor(mapping, said, names) : undefined;
  if (row) return JSON.stringify(row);
  throw new UserError({
    what: `rows with the columns ${names.join(', ')} have no place for ${said.system === '' ? '' : 'a system prompt, '}a question and its answer`,
    where: file,
    next:
      said.system === ''
        ? 'choose a file of conversations, or of instructions and answers'
        : 'choose a file of conversations, or leave the system prompt empty',
    code: 'row_form_unknown',
  });
}

/** Undefined where something would be lost. */
function rowFor(mapping: ColumnMapping, { system, question, answer }: AnsweredQuestion, names: readonly string[]) {
  const said = [...(system === '' ? [] : [['system', system] as const]), ['user', question], ['assistant', answer]];
  if (mapping.type === 'sharegpt') {
    const speakers = { system: 'system', user: 'human', assistant: 'gpt' } as Record<string, string>;
    const messages = said.map(([role = '', value]) => ({ from: speakers[role], value }));
    return { [mapping.field_messages ?? 'conversations']: messages };
  }
  if (mapping.type === 'chat_template') {
    const { role: speaker, content } = mapping.message_property_mappings ?? { role: 'role', content: 'content' };
    const messages = said.map(([role = '', text]) => ({
      [speaker]: mapping.roles?.[role]?.[0] ?? role,
      [content]: text,
    }));
    return { [mapping.field_messages ?? 'messages']: messages };
  }
  if (mapping.type !== 'alpaca') return undefined;
  const systemColumn = mapping.field_system ?? names.find((name) => name === 'system');
  if (system !== '' && systemColumn === undefined) return undefined;
  return {
    ...(system !== '' && { [systemColumn as string]: system }),
    [mapping.field_instruction ?? 'instruction']: question,
    ...(mapping.field_input !== undefined && names.includes(mapping.field_input) && { [mapping.field_input]: '' }),
    [mapping.field_output ?? 'output']: answer,
  };
}
