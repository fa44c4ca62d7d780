import { type PushProgress, pushRequest } from '@anneal/core/protocol/push';
import type { Command } from 'commander';
import { finish } from '../service/finish.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatBytes } from '../units.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { addRunsDirectoryOption, contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

interface PushOptions extends RunsOptions {
  to?: string;
  hub: 'huggingface' | 'modelscope';
  public?: boolean;
  replace?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addRunsDirectoryOption(
      command.argument('<source>', 'an export, as `anneal exports ls` shows it; or a run that has only one'),
    )
      .option('--to <owner/name>', 'the repository; it is made where there is none')
      .addOption(optionFor(pushRequest.shape.hub, '--hub <hub>', 'where to'))
      .option('--public', 'everybody can see it; without this it is private')
      .option('--replace', 'also where something else is: files of the same names get a new version')
      .action(push),
    'anneal push latest --to you/harbor-lora',
    'anneal push runs/20260131-142500-harbor/export/step-60/gguf --to you/harbor-gguf --public',
  );
}

async function push(source: string, options: PushOptions): Promise<void> {
  const { to = '', hub, public: isPublic, replace } = options;
  const pushExport = await useCase('pushExport');
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const pushing = pushExport(contextOf(options), { source, to, hub, public: isPublic, replace });
  const pushed = await finish(pushing, (progress) => line?.show(textOf(progress))).finally(() => line?.clear());
  for (const warning of pushed.warnings) remark(`${errorColors.yellow('warning:')} ${warning}`);
  if (options.json) return printJson(pushed);
  const sent = new Set(pushed.sent);
  for (const { path, bytes } of pushed.files) {
    print(`${formatBytes(bytes).padStart(8)}  ${path}${sent.has(path) ? '' : '  (was there)'}`);
  }
  print(`${pushed.url}  (${pushed.isPrivate ? 'private' : 'public'}, ${pushed.commit.slice(0, 12)})`);
}

function textOf({ phase, file, done, total }: PushProgress): string {
  if (phase === 'hashing') return `hashing  ${formatBytes(done)}`;
  if (phase === 'uploading') return `${bar(done / total, 20)}  ${formatBytes(done)} of ${formatBytes(total)}  ${file}`;
  return phase === 'asking' ? 'asking the hub' : 'the hub puts it together';
}
