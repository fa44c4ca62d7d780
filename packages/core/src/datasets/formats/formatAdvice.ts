/** What to write in a recipe for rows that are in no known format. */
import { stringify } from 'yaml';
import type { ColumnMapping } from '../../protocol/columns.ts';
import { beginsAsJson, isGiven, isObject, jsonIn, listOf, mostOf, type RowValue, TEXTS, textWithin } from './format.ts';
import { answersOtherThanText, areSingleMessages, columnsOf, guessMapping } from './guessMapping.ts';

const GENERAL =
  'set `type` and its field_… keys in the recipe: chat_template needs field_messages, alpaca field_instruction and field_output, completion field';

export function adviceFor(rows: readonly RowValue[]): string {
  if (areSingleMessages(rows)) {
    return 'a row is one message here: write all messages of a conversation into one row, as {"messages": [{"role": …, "content": …}, …]}';
  }
  const broken = Object.keys(rows[0] ?? {}).find((name) =>
    mostOf(rows, (row) => beginsAsJson(row[name]) && jsonIn(textWithin(String(row[name]))) === undefined),
  );
  if (broken !== undefined) return `the texts of '${broken}' begin as JSON and are none: write them with json.dumps`;
  if (isTableOfPandas(rows)) {
    return 'the file holds one table as a whole: write it row by row, with pandas as to_json(path, orient="records", lines=True)';
  }
  const columns = columnsOf(rows);
  const mapping = guessMapping(rows, columns);
  const within = Object.keys(rows[0] ?? {}).find((name) => rows.length === 1 && holdsRows(rows[0]?.[name]));
  if (within !== undefined && mapping?.type !== 'chat_template') {
    return `if the rows are in '${within}', write that list alone into a file: jq -c '.${within}[]' FILE > rows.jsonl`;
  }
  const [other] = answersOtherThanText(columns).filter((name) =>
    mostOf(rows, (row) => isGiven(row[name]) && typeof row[name] !== 'string'),
  );
  if (mapping === null && other !== undefined) {
    return `if the answers are in '${other}', write them as text in a column of its own and name it with field_output; ${GENERAL}`;
  }
  if (mapping === null) return GENERAL;
  const { field_instruction: text = '' } = mapping;
  const alone = TEXTS.includes(text.toLowerCase()) ? `; type: completion, field: ${text} trains the text alone` : '';
  return `if these are the right columns, write beside path: ${keysOf(mapping)}${alone}`;
}

/** One object of columns, of rows, or of both apart: `to_json` as it writes when not told how, and as `index` or `split`. */
function isTableOfPandas(rows: readonly RowValue[]): boolean {
  const [row, ...others] = rows;
  if (row === undefined || others.length > 0) return false;
  const values = Object.values(row);
  const lists = values.filter(Array.isArray);
  const areColumns =
    lists.length > 1 && lists.every((list) => list.length === lists[0]?.length && !list.some((item) => isObject(item)));
  return isNumbered(row) || (values.length > 0 && values.every(isNumbered)) || areColumns || isSplit(row);
}

const isNumbered = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((key, i) => key === String(i));

const isSplit = ({ columns, data }: RowValue): boolean =>
  Array.isArray(columns) && Array.isArray(data) && data.every(Array.isArray);

/** As in a recipe: `type: alpaca, field_instruction: en, field_output: de`. */
const keysOf = (mapping: ColumnMapping): string =>
  stringify(mapping, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);

const holdsRows = (value: unknown): boolean => {
  const list = listOf(value) ?? [];
  return list.length > 0 && list.every(isObject);
};
