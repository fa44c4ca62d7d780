import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type NewVersion, rowRequest } from '@anneal/core/protocol/rowEdits';
import { type Command, Option } from 'commander';
import { finish } from '../service/finish.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { numberFrom } from './requestOption.ts';

interface EditOptions {
  with?: string;
  remove?: boolean;
  add?: string;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('<file>', 'a data file: .jsonl, .json or .txt')
      .argument('[row]', 'the line that the row stands on', numberFrom(rowRequest.shape.row))
      .option('--with <row>', 'the row to put there instead')
      .addOption(new Option('--remove', 'leave the row out').conflicts('with'))
      .addOption(
        new Option('--add <row>', 'add this row at the end; no line is given then').conflicts(['with', 'remove']),
      )
      .action(edit),
    'anneal edit data/rows.jsonl 42',
    'anneal edit data/rows.jsonl 42 --with \'{"messages": [{"role": "user", "content": "Who are you?"}]}\'',
    'anneal edit data/rows.jsonl 42 --remove',
    'anneal edit data/rows.jsonl --add \'{"messages": [{"role": "user", "content": "Who are you?"}]}\'',
  );
}

async function edit(file: string, row: number | undefined, options: EditOptions): Promise<void> {
  const { addRow, readRow, editRow } = await import('../service/data/editRow.ts');
  const by = userInfo().username;
  if (options.add !== undefined && row === undefined) {
    return tell(await finish(addRow({}, { file: resolve(file), row: { text: options.add }, by })), options);
  }
  if (row === undefined || options.add !== undefined) throw oneOf();
  const found = await readRow({}, { file: resolve(file), row });
  if (options.with === undefined && !options.remove) {
    if (options.json) printJson(found);
    else print(found.text);
    return;
  }
  const version = await finish(editRow({}, { file: found.file, row, was: found.was, text: options.with ?? null, by }));
  tell(version, options);
}

function tell(version: NewVersion, { json }: EditOptions): void {
  if (json) return printJson(version);
  print(version.file);
  remark('the file itself is as it was; name the version in the recipe to train on it');
}

function oneOf(): UserError {
  return new UserError({
    what: 'either a row is named, or one is added',
    where: 'the command line',
    next: 'name the line of a row, or add one with --add',
    code: 'wrong_usage',
  });
}
