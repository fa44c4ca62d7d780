/** Whether what was exported answers as what it was made from: the likeliest token each time, from the same prompts. */
import type { Device, Engine } from '@anneal/kernels';
import { adaptedProgram, baseProgram, openDecodeEngine } from '../generate/decodeEngine.ts';
import { generate, likeliestTokens } from '../generate/generate.ts';
import { encodePrompt, type ModelText, type ModelTextOptions, openModelText } from '../generate/modelText.ts';
import { greedy } from '../generate/sample.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { Quantization } from '../models/nf4.ts';
import { openModel } from '../models/open.ts';
import type { ComparedPrompt } from '../protocol/exports.ts';
import { roomiestDevice } from '../roomiestDevice.ts';
import { readableIds } from '../tokenizers/tokensWithoutRow.ts';

export interface AskedModel {
  readonly modelPath: string;
  /** A PEFT folder put on top of the model. */
  readonly adapterFolder: string | null;
  readonly quantization: Quantization;
  readonly text: ModelTextOptions;
}

export interface AskedPrompt {
  readonly messages: readonly { readonly role: string; readonly content: string | null }[];
  readonly tools: readonly unknown[] | null;
}

/** A prompt, and how it was answered before. */
export interface Answered {
  readonly prompt: AskedPrompt;
  readonly promptIds: Int32Array;
  readonly answer: readonly number[];
}

export interface AskOptions {
  /** The same for all that are compared; by default the one with the most room. */
  readonly device?: Device;
  readonly onLoad?: (loaded: number, total: number) => void;
  readonly onAnswer?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How the model answers each prompt, in at most so many tokens. */
export async function askGreedily(
  model: AskedModel,
  prompts: readonly AskedPrompt[],
  maxTokens: number,
  options: AskOptions = {},
): Promise<Answered[]> {
  return withModel(model, prompts, { ...options, maxTokens }, async ({ engine, program, text, promptIds }) => {
    const how = { program, sampling: greedy, maxNewTokens: maxTokens, stopIds: text.stopIds, seed: 0 };
    const answered: Answered[] = [];
    for (const [at, prompt] of prompts.entries()) {
      const ids = promptIds[at] as Int32Array;
      const answer: number[] = [];
      for await (const { id } of generate(engine, ids, { ...how, signal: options.signal })) answer.push(id);
      options.signal?.throwIfAborted();
      answered.push({ prompt, promptIds: ids, answer });
      options.onAnswer?.(answered.length, prompts.length);
    }
    return answered;
  });
}

/** Where the model would have said something else than the answers given. */
export async function compareAnswers(
  model: AskedModel,
  given: readonly Answered[],
  options: AskOptions = {},
): Promise<ComparedPrompt[]> {
  const prompts = given.map(({ prompt }) => prompt);
  const maxTokens = Math.max(...given.map(({ answer }) => answer.length));
  return withModel(model, prompts, { ...options, maxTokens }, async ({ engine, program, text, promptIds }) => {
    const compared: ComparedPrompt[] = [];
    for (const [at, { prompt, promptIds: ids, answer }] of given.entries()) {
      const here = await likeliestTokens(engine, ids, answer, { program, signal: options.signal });
      const first = answer.findIndex((id, i) => here[i]?.id !== id);
      const textOf = (id: number | undefined) => text.tokenizer.decode([id as number]);
      compared.push({
        prompt: promptTitle(prompt),
        tokens: answer.length,
        agreeing: answer.filter((id, i) => here[i]?.id === id).length,
        partsAt: first < 0 ? null : first,
        before: first < 0 ? null : await textOf(answer[first]),
        after: first < 0 ? null : await textOf(here[first]?.id),
        margin: here.reduce((most, { margin }) => Math.max(most, margin), 0),
        samePrompt: sameIds(promptIds[at] as Int32Array, ids),
      });
      options.onAnswer?.(compared.length, given.length);
    }
    return compared;
  });
}

interface Reader {
  readonly engine: Engine;
  readonly program: string;
  readonly text: ModelText;
  readonly promptIds: readonly Int32Array[];
}

/** In float32, whatever the weights are stored in: what is compared is the weights, not how this machine rounds. */
async function withModel<T>(
  { modelPath, adapterFolder, quantization, text: textOptions }: AskedModel,
  prompts: readonly AskedPrompt[],
  { device = roomiestDevice(), maxTokens, onLoad, signal }: AskOptions & { maxTokens: number },
  use: (reader: Reader) => Promise<T>,
): Promise<T> {
  const model = openModel(modelPath);
  try {
    const text = openModelText(model, textOptions);
    const promptIds = await Promise.all(prompts.map((prompt) => encode(text, prompt)));
    const longest = Math.max(...promptIds.map(({ length }) => length));
    const adapter = adapterFolder === null ? null : await loadLoraWeights(adapterFolder, model);
    const engine = await openDecodeEngine(model, {
      device,
      weightType: 'f32',
      quantization,
      contextLength: Math.min(longest + maxTokens + 1, model.config.maxPositions),
      promptChunk: 512,
      adapter,
      onLoad,
      signal,
    });
    try {
      return await use({ engine, program: adapter ? adaptedProgram : baseProgram, text, promptIds });
    } finally {
      await engine.dispose();
    }
  } finally {
    model.close();
  }
}

async function encode(text: ModelText, { messages, tools }: AskedPrompt): Promise<Int32Array> {
  if (text.renderer) return encodePrompt(text, messages, tools);
  const tokenized = await text.tokenizer.encodeWithSpecial(messages.map(({ content }) => content ?? '').join('\n'));
  return readableIds(text.tokenizer, tokenized);
}

/** What was asked last. */
function promptTitle({ messages }: AskedPrompt): string {
  return messages.findLast(({ content }) => content)?.content ?? '';
}

function sameIds(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
