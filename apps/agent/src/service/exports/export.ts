/** Handing a model on: every form that was asked for, in its own folder below one target. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { exportGguf, ggufFileName } from '@anneal/core/export/gguf';
import { checkGgufExport } from '@anneal/core/export/ggufLimits';
import type { GgufType } from '@anneal/core/export/ggufTypes';
import { exportLora } from '@anneal/core/export/lora';
import { exportMerged } from '@anneal/core/export/merged';
import { MERGED_FORMS } from '@anneal/core/export/mergedForms';
import { linearsForNf4 } from '@anneal/core/export/mergedNf4';
import { exportModelfile } from '@anneal/core/export/modelfile';
import { checkTokenizer } from '@anneal/core/export/writeTokenizer';
import { loadLoraWeights } from '@anneal/core/models/adapters/loadLora';
import { refuseUnmergeable } from '@anneal/core/models/adapters/merge';
import { scaledAdapter } from '@anneal/core/models/adapters/scaled';
import {
  type ExportedForm,
  type ExportProgress,
  type ExportRequest,
  exportRequest,
} from '@anneal/core/protocol/exports';
import { verifyCheckpoint } from '@anneal/core/trainer/checkpointSeal';
import type { Context } from '../context.ts';
import { checkBase, type ModelSource, openSourceModel, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { entriesOf } from './entries.ts';
import { exportTogether } from './exportTogether.ts';
import { importanceFor, refuseImportanceForNothing } from './importance.ts';
import { dropoutOf, exportSizes, usualTarget } from './plan.ts';
import { readEntries } from './record.ts';
import { refuseWithoutRoom } from './room.ts';

type Wanted = Omit<ReturnType<typeof exportRequest.parse>, 'gguf'> & { types: GgufType[] };
type Report = (progress: ExportProgress) => void;

/**
 * Writes every form that was asked for; they appear together, once the last one is whole.
 * @throws UserError `export_options`, `export_exists`, `disk_full`, and what a form cannot carry, before anything is written
 */
export async function* exportSource(
  context: Context,
  request: ExportRequest,
): AsyncGenerator<ExportProgress, ExportedForm[]> {
  const { gguf, ...asked } = parseRequest(exportRequest, request);
  const wanted = { ...asked, types: [...new Set(gguf)] };
  const { lora, merged, ollama, types } = wanted;
  if (!lora && !merged && !ollama && types.length === 0) throw nothingAsked('nothing to export was named');
  if (types.length === 0 && (wanted.imatrix || wanted.imatrixFile !== undefined))
    throw nothingAsked('an importance matrix is for GGUF files', 'add --gguf <types>');
  if (ollama && types.length === 0)
    throw nothingAsked('an Ollama Modelfile needs a GGUF file beside it', 'add --gguf <types>');

  const source = await resolveSource(context, wanted);
  const target = wanted.to ?? usualTarget(source, wanted.adapterScale);
  if (!target) throw nothingAsked('the folder to write to was not named', 'add --to <folder>');
  if (lora && !source.adapterFolder) {
    throw nothingAsked('there is no adapter here: all weights were trained', 'use --merged or --gguf');
  }

  if (wanted.adapterScale !== 1 && !source.adapterFolder) {
    throw nothingAsked('there is no adapter here to scale: all weights were trained', 'leave out --adapter-scale');
  }
  refuseImportanceForNothing(source, wanted);
  refuseOtherScale(target, wanted.adapterScale);

  await checkBase(source);
  await refuseBeforeWriting(source, target, wanted);
  const paths = [
    ...(lora ? ['lora'] : []),
    ...(merged ? ['merged'] : []),
    ...(types.length > 0 ? ggufPaths(target, source.name, types, ollama) : []),
  ];
  return yield* reporting(
    (report, signal) =>
      exportTogether(target, paths, {
        write: (staging) => writeForms(source, staging, { ...wanted, report, signal }),
        entries: (forms) => entriesOf(forms, target, source, wanted),
        signal,
      }),
    context.signal,
  );
}

/** What lies in one folder is handed on together. */
function refuseOtherScale(target: string, adapterScale: number): void {
  const other = readEntries(target).find((entry) => (entry.adapterScale ?? 1) !== adapterScale);
  if (!other) return;
  throw nothingAsked(
    `${target} has ${other.path} at an adapter scale of ${other.adapterScale ?? 1}`,
    'write to another folder with --to',
  );
}

/** The other forms need not be written for nothing. */
async function refuseBeforeWriting(
  source: ModelSource,
  target: string,
  { lora, merged, types, adapterScale }: Wanted,
): Promise<void> {
  const model = openSourceModel(source);
  try {
    await checkTokenizer(model);
    if (types.length > 0) checkGgufExport(model);
    if (merged && MERGED_FORMS[merged].nf4) linearsForNf4(model);
    if (source.adapterFolder) {
      const adapter = scaledAdapter(
        await loadLoraWeights(source.adapterFolder, model),
        adapterScale,
        source.adapterFolder,
      );
      if (merged || types.length > 0) refuseUnmergeable(model, adapter);
    }
    const sizes = await exportSizes(source, model);
    const bytes = [
      lora ? (sizes.lora ?? 0) : 0,
      merged ? (sizes.merged[merged] ?? 0) : 0,
      ...types.map((type) => sizes.gguf?.[type] ?? 0),
    ];
    refuseWithoutRoom(
      target,
      bytes.reduce((sum, part) => sum + part, 0),
    );
  } finally {
    model.close();
  }
}

async function writeForms(
  source: ModelSource,
  target: string,
  wanted: Wanted & { report: Report; signal: AbortSignal },
): Promise<ExportedForm[]> {
  const { lora, merged, types, ollama, adapterScale, report, signal } = wanted;
  // What is handed on is looked at as closely as what a run goes on with.
  if (source.run) await verifyCheckpoint(source.run.checkpoint.path, source.run.checkpoint.sha256);
  const model = openSourceModel(source);
  const forms: ExportedForm[] = [];
  const progressOf = (form: ExportedForm['form'] | 'imatrix') => ({
    onProgress: (done: number, total: number) => report({ form, done, total }),
    signal,
  });
  try {
    const adapter = source.adapterFolder
      ? scaledAdapter(await loadLoraWeights(source.adapterFolder, model), adapterScale, source.adapterFolder)
      : null;
    const { baseModel, revision } = source;
    if (lora && adapter && source.adapterFolder) {
      const dropout = dropoutOf(source.adapterFolder);
      const written = await exportLora(join(target, 'lora'), { model, adapter, dropout, baseModel, revision });
      forms.push({ form: 'lora', ...written });
    }
    if (merged) {
      const asked = { model, adapter, ...MERGED_FORMS[merged], ...progressOf('merged') };
      const written = await exportMerged(join(target, 'merged'), asked);
      forms.push({ form: 'merged', ...written });
    }
    const [first] = types;
    if (first) {
      const folder = join(target, 'gguf');
      const imatrix = await importanceFor(source, model, adapter, wanted, progressOf('imatrix'));
      const asked = { model, adapter, types, name: source.name, imatrix, ...progressOf('gguf') };
      const written = await exportGguf(folder, asked);
      forms.push({ form: 'gguf', ...written });
      if (ollama) {
        const file = join(folder, ggufFileName(source.name, first));
        forms.push({ form: 'ollama', ...(await exportModelfile(file, model, source.text)) });
      }
    }
    return forms;
  } finally {
    model.close();
  }
}

/** A folder; files of it where there is one already, to which types can be added. */
function ggufPaths(target: string, name: string, types: readonly GgufType[], ollama: boolean): string[] {
  if (!existsSync(join(target, 'gguf'))) return ['gguf'];
  return [...types.map((type) => ggufFileName(name, type)), ...(ollama ? ['Modelfile'] : [])].map((file) =>
    join('gguf', file),
  );
}

function nothingAsked(what: string, next = 'add --lora, --merged or --gguf <types>'): UserError {
  return new UserError({ what, where: 'the command line', next, code: 'export_options' });
}
