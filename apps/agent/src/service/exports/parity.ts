/** Whether what was exported still answers as its source does. The result is kept in the record beside it. */
import { join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type AskedModel, type AskedPrompt, askGreedily, compareAnswers } from '@anneal/core/export/parity';
import { floatTypeOf } from '@anneal/core/models/model';
import { openModel } from '@anneal/core/models/open';
import {
  type ComparedExport,
  type Parity,
  type ParityProgress,
  type ParityRequest,
  parityRequest,
} from '@anneal/core/protocol/exports';
import { roomiestDevice } from '@anneal/core/roomiestDevice';
import { quantizationOf, samplePrompt } from '@anneal/core/trainer/job';
import type { Context } from '../context.ts';
import { checkBase, type ModelSource, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { listExports } from './list.ts';
import { readEntries, recordOf, writeEntries } from './record.ts';

const usualPrompts = ['Who are you?', 'Write a sentence about the sea.', 'Name three colors.'];

/** @throws UserError `nothing_exported`, and what keeps a model from being opened */
export async function* checkParity(
  context: Context,
  request: ParityRequest,
): AsyncGenerator<ParityProgress, ComparedExport[]> {
  const wanted = parseRequest(parityRequest, request);
  const source = await resolveSource(context, wanted);
  await checkBase(source);
  const paths = wanted.exported?.map((path) => resolve(path)) ?? (await exportsOf(context, source));
  if (paths.length === 0) throw nothingExported(wanted.source);
  for (const path of paths) refuseScaled(path);
  const prompts = promptsFor(source, wanted.prompts);
  return yield* reporting(async (report, signal) => {
    const device = roomiestDevice();
    const showing = (model: string) => ({
      device,
      onLoad: (done: number, total: number) => report({ model, phase: 'loading', done, total }),
      onAnswer: (done: number, total: number) => report({ model, phase: 'answering', done, total }),
      signal,
    });
    const original = askedModel(source, source);
    const given = await askGreedily(original, prompts, wanted.maxTokens, showing(wanted.source));
    const compared: ComparedExport[] = [];
    for (const path of paths) {
      const exported = await resolveSource(context, { source: path });
      const answers = await compareAnswers(askedModel(exported, source), given, showing(path));
      const promised = promisesTheSame(exported, original);
      const parity = { time: new Date().toISOString(), promised, prompts: answers };
      keep(path, parity);
      compared.push({ path, parity });
    }
    return compared;
  }, context.signal);
}

function refuseScaled(path: string): void {
  const scale = recordOf(path)?.entry.adapterScale;
  if (scale === undefined) return;
  throw new UserError({
    what: `it was exported with an adapter scale of ${scale}: it is meant to answer otherwise than its source`,
    where: path,
    next: 'compare what was exported without --adapter-scale',
    code: 'export_scaled',
  });
}

/** All of this checkpoint that can be opened as a model and should answer as it does. */
async function exportsOf(context: Context, { run }: ModelSource): Promise<string[]> {
  if (!run) return [];
  const listed = await listExports(context, { run: run.path });
  return listed
    .filter(({ form, run: origin }) => form !== 'ollama' && origin?.step === run.checkpoint.step)
    .filter(({ adapterScale }) => adapterScale === undefined) // meant to answer otherwise
    .map(({ folder, path }) => join(folder, path));
}

/** An adapter is put on the base as it was held in training. A file has its chat template, and speaks of the same day. */
function askedModel(model: ModelSource, { run, text }: ModelSource): AskedModel {
  const isAdapted = model.adapterFolder !== null;
  const quantization = run && isAdapted ? quantizationOf(run.recipe) : 'none';
  const { modelPath, adapterFolder } = model;
  return { modelPath, adapterFolder, quantization, text: { ...model.text, now: text.now } };
}

/** An adapter as it is, or weights in 16 bits or more of a base that was not held in 4 bits while it was trained. */
function promisesTheSame({ adapterFolder, modelPath }: ModelSource, original: AskedModel): boolean {
  if (adapterFolder !== null) return true;
  if (original.quantization !== 'none') return false;
  const model = openModel(modelPath);
  model.close();
  return [...model.tensors.values()].every(({ dtype }) => floatTypeOf(dtype) !== null);
}

function promptsFor({ run }: ModelSource, asked: readonly string[] | undefined): AskedPrompt[] {
  const own = asked ?? (run && run.recipe.sample_prompts.length > 0 ? undefined : usualPrompts);
  if (own) return own.map((content) => ({ messages: [{ role: 'user', content }], tools: null }));
  return run ? run.recipe.sample_prompts.map(samplePrompt) : [];
}

function keep(path: string, parity: Parity): void {
  const record = recordOf(path);
  if (!record) return;
  const entries = readEntries(record.folder);
  writeEntries(
    record.folder,
    entries.map((entry) => (entry.path === record.entry.path ? { ...entry, parity } : entry)),
  );
}

function nothingExported(source: string): UserError {
  return new UserError({
    what: 'nothing that could be compared was exported of this checkpoint',
    where: source,
    next: 'export it first, or name what to compare with it',
    code: 'nothing_exported',
  });
}
