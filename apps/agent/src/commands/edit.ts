import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { rowRequest } from '@anneal/core/protocol/rowEdits';
import { type Command, Option } from 'commander';
import { finish } from '../service/finish.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { numberFrom } from './requestOption.ts';

interface EditOptions {
  with?: string;
  remove?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('<file>', 'a data file: .jsonl, .json or .txt')
      .argument('<row>', 'the line that the row stands on', numberFrom(rowRequest.shape.row))
      .option('--with <row>', 'what is to stand there instead')
      .addOption(new Option('--remove', 'leave the row out').conflicts('with'))
      .action(edit),
    'anneal edit data/rows.jsonl 42',
    'anneal edit data/rows.jsonl 42 --with \'{"messages": [{"role": "user", "content": "Who are you?"}]}\'',
    'anneal edit data/rows.jsonl 42 --remove',
  );
}

async function edit(file: string, row: number, options: EditOptions): Promise<void> {
  const { readRow, editRow } = await import('../service/data/editRow.ts');
  const found = await readRow({}, { file: resolve(file), row });
  if (options.with === undefined && !options.remove) {
    if (options.json) printJson(found);
    else print(found.text);
    return;
  }
  const by = userInfo().username;
  const version = await finish(editRow({}, { file: found.file, row, was: found.was, text: options.with ?? null, by }));
  if (options.json) return printJson(version);
  print(version.file);
  remark('the file itself is as it was; name the version in the recipe to train on it');
}
