import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { checkGgufExport, exportGguf, ggufFileName } from '@anneal/core/export/gguf';
import { GGUF_TYPES, type GgufType } from '@anneal/core/export/ggufTypes';
import { exportLora } from '@anneal/core/export/lora';
import { exportMerged, type FloatType } from '@anneal/core/export/merged';
import { exportModelfile } from '@anneal/core/export/modelfile';
import { loadLoraWeights } from '@anneal/core/models/adapters/loraWeights';
import { verifyCheckpoint } from '@anneal/core/trainer/checkpointSeal';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import type { ExportOptions } from '../commands/export.ts';
import { type ModelSource, openSourceModel, resolveSource } from '../modelSource.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatBytes } from '../terminal/units.ts';
import { type ExportedForm, exportTogether } from './exportTogether.ts';

const mergedTypes: Readonly<Record<string, FloatType>> = { bf16: 'BF16', f16: 'F16', f32: 'F32' };

/** Writes every form that was asked for into its own folder below the target. */
export async function exportSource(name: string, options: ExportOptions): Promise<void> {
  const dtype = mergedType(options);
  const types = ggufTypes(options);
  if (!options.lora && !dtype && types.length === 0) throw nothingAsked('nothing to export was named');
  if (options.ollama && types.length === 0) throw nothingAsked('an Ollama Modelfile needs a GGUF file beside it');

  const source = await resolveSource(name, options);
  const target =
    options.to ?? (source.run ? join(source.run.path, 'export', `step-${source.run.checkpoint.step}`) : '');
  if (!target) throw nothingAsked('the folder to write to was not named', 'add --to <folder>');
  if (options.lora && !source.adapterFolder) {
    throw nothingAsked('there is no adapter here: all weights were trained', 'use --merged or --gguf');
  }

  if (types.length > 0) refuseBeforeWriting(source);
  const paths = [
    ...(options.lora ? ['lora'] : []),
    ...(dtype ? ['merged'] : []),
    ...(types.length > 0 ? ggufPaths(target, source.name, types, options) : []),
  ];
  const results = await exportTogether(target, paths, (staging) =>
    writeForms(source, staging, { dtype, types, options }),
  );
  if (options.json) return printJson(results.map(({ form, result }) => ({ form, ...result })));
  for (const { form, result } of results) {
    for (const { path, bytes } of result.files)
      print(`${form.padEnd(7)} ${formatBytes(bytes).padStart(8)}  ${relative('.', path)}`);
    for (const warning of result.warnings) print(`${colors.yellow('warning:')} ${warning}`);
  }
}

/** The other forms need not be written for nothing. */
function refuseBeforeWriting(source: ModelSource): void {
  const model = openSourceModel(source);
  try {
    checkGgufExport(model);
  } finally {
    model.close();
  }
}

async function writeForms(
  source: ModelSource,
  target: string,
  { dtype, types, options }: { dtype: FloatType | undefined; types: GgufType[]; options: ExportOptions },
): Promise<ExportedForm[]> {
  // What is handed on is looked at as closely as what a run goes on with.
  if (source.run) await verifyCheckpoint(source.run.checkpoint.path);
  const model = openSourceModel(source);
  const results: ExportedForm[] = [];
  try {
    const adapter = source.adapterFolder ? loadLoraWeights(source.adapterFolder, model) : null;
    const { baseModel, revision } = source;
    if (options.lora && adapter && source.adapterFolder) {
      const dropout = dropoutOf(source.adapterFolder);
      const result = await exportLora(join(target, 'lora'), { model, adapter, dropout, baseModel, revision });
      results.push({ form: 'lora', result });
    }
    if (dtype) {
      const result = await withProgress('merged', (onProgress) =>
        exportMerged(join(target, 'merged'), { model, adapter, dtype, onProgress }),
      );
      results.push({ form: 'merged', result });
    }
    if (types.length > 0) {
      const folder = join(target, 'gguf');
      const result = await withProgress('gguf', (onProgress) =>
        exportGguf(folder, { model, adapter, types, name: source.name, onProgress }),
      );
      results.push({ form: 'gguf', result });
      if (options.ollama && types[0]) {
        const path = join(folder, ggufFileName(source.name, types[0]));
        results.push({ form: 'ollama', result: await exportModelfile(path, model, source.text) });
      }
    }
    return results;
  } finally {
    model.close();
  }
}

/** A folder; files of it where there is one already, to which types can be added. */
function ggufPaths(target: string, name: string, types: readonly GgufType[], { ollama }: ExportOptions): string[] {
  if (!existsSync(join(target, 'gguf'))) return ['gguf'];
  return [...types.map((type) => ggufFileName(name, type)), ...(ollama ? ['Modelfile'] : [])].map((file) =>
    join('gguf', file),
  );
}

function mergedType({ merged }: ExportOptions): FloatType | undefined {
  if (merged === undefined) return undefined;
  const dtype = mergedTypes[merged === true ? 'bf16' : merged.toLowerCase()];
  if (dtype) return dtype;
  throw nothingAsked(`merged models are not written as ${merged}`, 'choose bf16, f16 or f32');
}

function ggufTypes({ gguf = '' }: ExportOptions): GgufType[] {
  const wanted = gguf
    .toLowerCase()
    .split(',')
    .map((type) => type.trim())
    .filter(Boolean);
  const unknown = wanted.find((type) => !GGUF_TYPES.includes(type as GgufType));
  if (unknown) throw nothingAsked(`GGUF files are not written as ${unknown}`, `choose from ${GGUF_TYPES.join(', ')}`);
  return [...new Set(wanted)] as GgufType[];
}

function dropoutOf(folder: string): number {
  const adapter = readPeftAdapter(folder);
  adapter.tensors.close();
  return adapter.config.loraDropout;
}

function nothingAsked(what: string, next = 'add --lora, --merged or --gguf <types>'): UserError {
  return new UserError({ what, where: 'the command line', next, code: 'export_options' });
}

async function withProgress<T>(
  form: string,
  write: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return write(() => undefined);
  const line = new ProgressLine(process.stderr);
  try {
    return await write((done, total) => line.show(`${form}  ${bar(done / total, 20)}  ${done} of ${total} tensors`));
  } finally {
    line.clear();
  }
}
