import { UserError } from '@anneal/core/errors';
import type { PullProgress, PullRequest } from '@anneal/core/protocol/models';
import type { Command } from 'commander';
import { finish } from '../service/finish.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes } from '../units.ts';
import { addExamples } from './examples.ts';
import { useCase } from './useCases.ts';

interface Options {
  data?: boolean;
  name?: string;
  split?: string;
  file?: readonly string[];
  revision?: string;
  offline?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument(
        '[model]',
        'short name, owner/model, or owner/model/file.gguf; with --data owner/name; without it the short names are listed',
      )
      .option('--data', 'a data set instead of a model')
      .option('--name <subset>', 'of a data set: its subset')
      .option('--split <split>', 'of a data set: train, validation, test or what else it has')
      .option('--file <path>', 'of a data set: a file of it, or a pattern; again for another one', addTo)
      .option('--revision <revision>', 'branch, tag or commit at the hub')
      .option('--offline', 'only look into the cache')
      .action(async (model: string | undefined, options: Options) =>
        model === undefined && !options.data ? listShortNames(options) : pull(model, options),
      ),
    'anneal pull smollm2-135m',
    'anneal pull --data trl-lib/Capybara --split train',
  );
}

function addTo(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

async function pull(model: string | undefined, options: Options): Promise<void> {
  const { revision, offline, json } = options;
  if (model === undefined) {
    throw wrongUse('--data needs the name of a data set', 'add it: anneal pull --data owner/name');
  }
  const pullModel = await useCase('pullModel');
  const progress = showProgress();
  const pulling = pullModel({}, { model, revision, offline, data: dataOf(options) });
  const { path, isCopy, error } = await finish(pulling, progress.show).finally(progress.end);
  if (isCopy) {
    remark(
      `${errorColors.yellow('warning:')} this is not ${model} as published but a GGUF copy of it, quantized to 4 bits a weight: no hub answered when it was fetched`,
    );
    remark('  for the original weights remove this file and pull again where a hub can be reached');
  }
  if (error) {
    remark(`${errorColors.yellow('warning:')} it is here, but cannot be opened: ${error.what}`);
    for (const line of [error.where && `at ${error.where}`, error.next]) if (line) remark(`  ${line}`);
  }
  if (json) printJson({ model, path, isCopy, ...(error && { error }) });
  else print(path);
}

/** @throws UserError `data_option` for options that a model does not have */
function dataOf({ data, name, split, file = [] }: Options): PullRequest['data'] {
  if (data) return { name, split, ...(file.length > 0 && { files: file }) };
  const given = Object.entries({ name, split, file: file[0] }).find(([, value]) => value !== undefined)?.[0];
  if (given !== undefined) throw wrongUse(`--${given} is for data sets`, 'add --data, or leave it out');
  return undefined;
}

function wrongUse(what: string, next: string): UserError {
  return new UserError({ what, next, code: 'data_option' });
}

async function listShortNames(options: Options): Promise<void> {
  const models = await (await useCase('listCatalog'))();
  if (options.json) return printJson(models);
  print(
    formatTable(
      [{ title: 'NAME' }, { title: 'MODEL' }],
      models.map(({ name, id }) => [name, id]),
    ),
  );
}

/** On stderr: a bar on a terminal, otherwise a line per source and per tenth. */
function showProgress(): { show(progress: PullProgress): void; end(): void } {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const say = (text: string) => (line ? line.print(text) : remark(text));
  let saidTenth = -1;
  return {
    show({ phase, source, file, receivedBytes = 0, totalBytes, reason }) {
      if (phase === 'waiting') say('waiting for another process that pulls the same');
      else if (phase === 'asking') say(`asking ${source}`);
      else if (phase === 'failed') say(`${source}: ${reason}`);
      else if (totalBytes) {
        const text = `${file}  ${formatBytes(receivedBytes)} of ${formatBytes(totalBytes)}`;
        const tenth = Math.floor((10 * receivedBytes) / totalBytes);
        if (line) line.show(`${bar(receivedBytes / totalBytes, 20)}  ${text}`);
        else if (tenth !== saidTenth) say(text);
        saidTenth = tenth;
      }
    },
    end: () => line?.clear(),
  };
}
