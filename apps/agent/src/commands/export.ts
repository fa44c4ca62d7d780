import { relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { GGUF_TYPES, type GgufType } from '@anneal/core/export/ggufTypes';
import {
  type ExportedForm,
  type ExportProgress,
  type ExportRequest,
  exportRequest,
} from '@anneal/core/protocol/exports';
import { MERGED_TYPES } from '@anneal/core/protocol/mergedTypes';
import type { Command } from 'commander';
import { finish } from '../service/finish.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes } from '../units.ts';
import { addExamples } from './examples.ts';
import { checkExports } from './exportsCheck.ts';
import { optionFor } from './requestOption.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { addSourceOptions, sourceHelp } from './sourceOptions.ts';
import { useCase } from './useCases.ts';

export interface ExportOptions extends RunsOptions {
  checkpoint?: string;
  to?: string;
  lora?: boolean;
  merged?: string | true;
  gguf?: string;
  imatrix?: string | true;
  imatrixTokens: number;
  ollama?: boolean;
  adapterScale: number;
  check?: boolean;
  sizes?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSourceOptions(command.argument('<source>', sourceHelp))
      .option('--to <folder>', 'where to write; of a run its export folder')
      .option('--lora', 'the adapter as a PEFT folder')
      .option(
        '--merged [type]',
        'the whole model as a Hugging Face folder: bf16 (default), f16, f32, or in 4 bits for bitsandbytes: nf4, nf4_single, nf4_dynamic',
      )
      .option('--gguf <types>', `GGUF files for llama.cpp, several with commas: ${GGUF_TYPES.join(', ')}`)
      .option(
        '--imatrix [file]',
        "quantize GGUF files so that they err less where it counts: by an importance matrix of the run's own training rows, or of a file of llama-imatrix",
      )
      .addOption(
        optionFor(
          exportRequest.shape.imatrixTokens,
          '--imatrix-tokens <count>',
          'about so many tokens of the rows are read for it',
        ),
      )
      .option('--ollama', 'a Modelfile beside the first GGUF file')
      .addOption(
        optionFor(
          exportRequest.shape.adapterScale,
          '--adapter-scale <factor>',
          "how much of the adapter's effect every form has: 0.8 is four fifths",
        ),
      )
      .option('--check', 'afterwards ask source and exports the same, and compare their answers token by token')
      .option('--sizes', 'only print how large each form would be')
      .action(async (source: string, options: ExportOptions) =>
        options.sizes ? printSizes(source, options) : write(source, options),
      ),
    'anneal export latest --lora --merged --gguf q8_0,f16 --ollama',
    'anneal export ./my-model --gguf q8_0 --to ./my-model-gguf',
    'anneal export latest --gguf q3_k_m --imatrix',
    'anneal export latest --merged nf4',
    'anneal export latest --merged --adapter-scale 0.8',
    'anneal export latest --sizes',
  );
}

async function write(source: string, options: ExportOptions): Promise<void> {
  const { checkpoint, to } = options;
  const { exportSource } = await import('../service/exports/export.ts');
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const forms = await finish(
    exportSource(contextOf(options), { source, checkpoint, to, ...wantedForms(options) }),
    (progress) => line?.show(progressText(progress)),
  ).finally(() => line?.clear());
  const exported = forms.filter(({ form }) => form !== 'ollama').flatMap(openable);
  if (options.json && !options.check) return printJson(forms);
  if (!options.json) printForms(forms);
  if (options.check) await checkExports(source, exported, options);
}

export function progressText({ form, done, total }: ExportProgress): string {
  return `${form}  ${bar(done / total, 20)}  ${done} of ${total} ${form === 'imatrix' ? 'tokens' : 'tensors'}`;
}

/** @throws UserError `export_options` */
export function wantedForms(options: ExportOptions) {
  const { lora, ollama, adapterScale, imatrix, imatrixTokens } = options;
  if (options.check && adapterScale !== 1) {
    throw badOption(
      '--check compares with the source, which --adapter-scale makes it unlike',
      'leave out one of the two',
    );
  }
  return {
    lora,
    merged: mergedType(options),
    gguf: ggufTypes(options),
    imatrix: imatrix === true,
    imatrixTokens,
    ...(typeof imatrix === 'string' && { imatrixFile: imatrix }),
    ollama,
    adapterScale,
  };
}

/** What can be opened as a model: of GGUF files each by itself. */
function openable({ form, path, files }: ExportedForm): string[] {
  return form === 'gguf' ? files.map((file) => file.path) : [path];
}

function printForms(forms: readonly ExportedForm[]): void {
  for (const { form, files, warnings } of forms) {
    for (const { path, bytes } of files)
      print(`${form.padEnd(7)} ${formatBytes(bytes).padStart(8)}  ${relative('.', path)}`);
    for (const warning of warnings) print(`${colors.yellow('warning:')} ${warning}`);
  }
}

export async function printSizes(source: string, { checkpoint, ...options }: ExportOptions): Promise<void> {
  const planExport = await useCase('planExport');
  const plan = await finish(planExport(contextOf(options), { source, checkpoint }));
  if (options.json) return printJson(plan);
  const rows = [
    ...(plan.lora === null ? [] : [['lora', '', plan.lora] as const]),
    ...Object.entries(plan.merged).map(([type, bytes]) => ['merged', type, bytes] as const),
    ...Object.entries(plan.gguf ?? {}).map(([type, bytes]) => ['gguf', type, bytes] as const),
  ].map(([form, type, bytes]) => [form, type, formatBytes(bytes)]);
  print(formatTable([{ title: 'FORM' }, { title: 'TYPE' }, { title: 'SIZE', align: 'right' }], rows));
  if (plan.refusal) print(`no GGUF files: ${plan.refusal.what}`);
  print(`${formatBytes(plan.free)} are free${plan.target === null ? '' : ` at ${plan.target}`}`);
}

function mergedType({ merged }: ExportOptions): ExportRequest['merged'] {
  if (merged === undefined) return undefined;
  const { success, data } = exportRequest.shape.merged.safeParse(merged === true ? 'bf16' : merged.toLowerCase());
  if (success) return data;
  throw badOption(`merged models are not written as ${merged}`, `choose from ${MERGED_TYPES.join(', ')}`);
}

function ggufTypes({ gguf = '' }: ExportOptions): GgufType[] {
  const wanted = gguf
    .toLowerCase()
    .split(',')
    .map((type) => type.trim())
    .filter(Boolean);
  const unknown = wanted.find((type) => !GGUF_TYPES.includes(type as GgufType));
  if (unknown) throw badOption(`GGUF files are not written as ${unknown}`, `choose from ${GGUF_TYPES.join(', ')}`);
  return wanted as GgufType[];
}

function badOption(what: string, next: string): UserError {
  return new UserError({ what, where: 'the command line', next, code: 'export_options' });
}
