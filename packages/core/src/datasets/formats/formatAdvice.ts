/** What to write in a recipe for rows that are in no known format. */
import { stringify } from 'yaml';
import type { ColumnMapping } from '../../protocol/columns.ts';
import { beginsAsJson, isObject, jsonIn, listOf, mostOf, type RowValue, TEXTS } from './format.ts';
import { areSingleMessages, guessMapping } from './guessMapping.ts';

const GENERAL =
  'set `type` and its field_… keys in the recipe: chat_template needs field_messages, alpaca field_instruction and field_output, completion field';

export function adviceFor(rows: readonly RowValue[]): string {
  if (areSingleMessages(rows)) {
    return 'a row is one message here: write all messages of a conversation into one row, as {"messages": [{"role": …, "content": …}, …]}';
  }
  const broken = Object.keys(rows[0] ?? {}).find((name) =>
    mostOf(rows, (row) => beginsAsJson(row[name]) && jsonIn(String(row[name])) === undefined),
  );
  if (broken !== undefined) return `the texts of '${broken}' begin as JSON and are none: write them with json.dumps`;
  const mapping = guessMapping(rows);
  const within = Object.keys(rows[0] ?? {}).find((name) => rows.length === 1 && holdsRows(rows[0]?.[name]));
  if (within !== undefined && mapping?.type !== 'chat_template') {
    return `if the rows are in '${within}', write that list alone into a file: jq -c '.${within}[]' FILE > rows.jsonl`;
  }
  if (mapping === null) return GENERAL;
  const { field_instruction: text = '' } = mapping;
  const alone = TEXTS.includes(text.toLowerCase()) ? `; type: completion, field: ${text} trains the text alone` : '';
  return `if these are the right columns, write beside path: ${keysOf(mapping)}${alone}`;
}

/** As in a recipe: `type: alpaca, field_instruction: en, field_output: de`. */
const keysOf = (mapping: ColumnMapping): string =>
  stringify(mapping, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);

const holdsRows = (value: unknown): boolean => {
  const list = listOf(value) ?? [];
  return list.length > 0 && list.every(isObject);
};
