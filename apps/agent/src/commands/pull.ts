import type { PullProgress } from '@anneal/core/protocol/models';
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
  revision?: string;
  offline?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('[model]', 'short name, owner/model, or owner/model/file.gguf; without it the short names are listed')
      .option('--revision <revision>', 'branch, tag or commit at the hub')
      .option('--offline', 'only look into the cache')
      .action(async (model: string | undefined, options: Options) =>
        model === undefined ? listShortNames(options) : pull(model, options),
      ),
    'anneal pull smollm2-135m',
  );
}

async function pull(model: string, { revision, offline, json }: Options): Promise<void> {
  const pullModel = await useCase('pullModel');
  const progress = showProgress();
  const pulling = pullModel({}, { model, revision, offline });
  const { path, isCopy } = await finish(pulling, progress.show).finally(progress.end);
  if (isCopy) {
    remark(
      `${errorColors.yellow('warning:')} this is not ${model} as published but a GGUF copy of it, quantized to 4 bits a weight: no hub answered when it was fetched`,
    );
    remark('  for the original weights remove this file and pull again where a hub can be reached');
  }
  if (json) printJson({ model, path });
  else print(path);
}

async function listShortNames(options: Options): Promise<void> {
  const models = await (await useCase('listCatalogue'))();
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
      if (phase === 'waiting') say('waiting for another process that pulls the same model');
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
