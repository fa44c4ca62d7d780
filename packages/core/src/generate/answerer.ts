import { type Device, deviceBytes } from '@anneal/kernels';
import { memoryBudget } from '../memory.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { longestText } from '../models/config.ts';
import type { Quantization } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { roomiestDevice } from '../roomiestDevice.ts';
import { decodeStream } from '../tokenizers/decodeStream.ts';
import { type TokenPiece, tokenPieces } from '../tokenizers/tokenPieces.ts';
import { adaptedProgram, baseProgram, openDecodeEngine, planDecoding } from './decodeEngine.ts';
import { generate } from './generate.ts';
import type { Logprobs, TokenLogprob } from './logprobs.ts';
import { encodePrompt, type ModelText, type ModelTextOptions, openModelText } from './modelText.ts';
import type { SamplingOptions } from './sample.ts';
import { StopTexts } from './stopTexts.ts';

export interface AnswererOptions {
  readonly modelPath: string;
  /** A PEFT folder put on top of the model. */
  readonly adapterFolder?: string | null | undefined;
  readonly device?: Device | undefined;
  readonly weightType: 'f32' | 'bf16';
  /** How the linears of the blocks are held; of a run as it was trained. */
  readonly quantization?: Quantization | undefined;
  /** Prompt and answer together, in tokens; at most what the model was made for. */
  readonly contextLength: number;
  readonly text?: ModelTextOptions | undefined;
  /** With and without the adapter at once; for that each has a cache of its own. Otherwise one answer at a time. */
  readonly sideBySide?: boolean | undefined;
  /** Tensors that are in memory, and the bytes that the engine takes. */
  readonly onLoad?: ((loaded: number, total: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AnswerOptions {
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number;
  readonly seed: number;
  /** false: the base model, without the adapter. */
  readonly adapter?: boolean;
  /** Definitions of what the model may call; for messages only. */
  readonly tools?: readonly unknown[] | null;
  /** Texts that end the answer, and are no part of it. */
  readonly stop?: readonly string[];
  /** Tells for each token its logarithmic probability, and that of so many of the likeliest. */
  readonly topLogprobs?: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** What one more token adds to an answer. */
export interface AnswerPiece {
  /** Empty while a character, or what may be a text to stop at, is not whole. */
  readonly text: string;
  /** Made so far. */
  readonly tokens: number;
  /** By the model, or by a text to stop at. */
  readonly ended: boolean;
  /** Where logarithmic probabilities are asked for. */
  readonly token: ChosenToken | null;
}

/** A token with what the model thought of it. */
export interface AnswerToken extends TokenPiece {
  readonly id: number;
  readonly logprob: number;
}

export interface ChosenToken extends AnswerToken {
  /** The likeliest tokens in its place, in order. */
  readonly top: readonly AnswerToken[];
}

/** A loaded model that answers. Close it to free its memory. */
export interface Answerer {
  readonly model: OpenModel;
  readonly text: ModelText;
  readonly contextLength: number;
  answer(messages: readonly unknown[], options: AnswerOptions): AsyncGenerator<AnswerPiece>;
  /** Goes on from ids as they are, without a template. */
  complete(prompt: Int32Array, options: AnswerOptions): AsyncGenerator<AnswerPiece>;
  close(): Promise<void>;
}

/** Tokens of a prompt read at once: enough for full speed, little beside the model. */
const PROMPT_CHUNK = 512;

/** @throws UserError when the model, its adapter or its tokenizer cannot be used */
export async function openAnswerer(options: AnswererOptions): Promise<Answerer> {
  const model = openModel(options.modelPath);
  try {
    return await answererOf(model, options);
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The bytes that it would take, and those that can be had. Loads nothing. @throws UserError */
export async function measureAnswerer(options: AnswererOptions): Promise<{ bytes: number; available: number }> {
  const model = openModel(options.modelPath);
  try {
    const engine = await engineOptions(model, options);
    return { bytes: deviceBytes(planDecoding(model, engine).memory), available: memoryBudget(engine.device) };
  } finally {
    model.close();
  }
}

async function engineOptions(model: OpenModel, options: AnswererOptions) {
  const { device = roomiestDevice(), adapterFolder, weightType, quantization, sideBySide, onLoad, signal } = options;
  const adapter = adapterFolder ? await loadLoraWeights(adapterFolder, model) : null;
  const contextLength = Math.min(options.contextLength, longestText(model.config));
  return {
    device,
    weightType,
    quantization,
    contextLength,
    promptChunk: PROMPT_CHUNK,
    adapter,
    sideBySide,
    onLoad,
    signal,
  };
}

async function answererOf(model: OpenModel, options: AnswererOptions): Promise<Answerer> {
  const text = openModelText(model, options.text);
  const loading = await engineOptions(model, options);
  const { adapter, contextLength } = loading;
  const engine = await openDecodeEngine(model, loading);

  const pieceOf = tokenPieces(text.tokenizer);
  const answerToken = async ({ id, logprob }: TokenLogprob): Promise<AnswerToken> => ({
    id,
    logprob,
    ...(await pieceOf(id)),
  });
  const chosenToken = async (id: number, { chosen, top }: Logprobs): Promise<ChosenToken> => ({
    ...(await answerToken({ id, logprob: chosen })),
    top: await Promise.all(top.map(answerToken)),
  });

  async function* complete(prompt: Int32Array, how: AnswerOptions): AsyncGenerator<AnswerPiece> {
    const program = adapter && how.adapter !== false ? adaptedProgram : baseProgram;
    const stream = decodeStream(text.tokenizer);
    const stops = new StopTexts(how.stop ?? []);
    let tokens = 0;
    let ended = false;
    for await (const { id, logprobs } of generate(engine, prompt, { ...how, program, stopIds: text.stopIds })) {
      tokens++;
      const isEnd = text.stopIds.has(id);
      const { text: piece, found } = stops.push(isEnd ? '' : await stream.push(id));
      ended = isEnd || found;
      yield { text: piece, tokens, ended, token: logprobs && (await chosenToken(id, logprobs)) };
      if (found) return;
    }
    const { text: rest, found } = stops.push(await stream.finish());
    const last = found ? rest : rest + stops.finish();
    if (last !== '') yield { text: last, tokens, ended: ended || found, token: null };
  }
  return {
    model,
    text,
    contextLength,
    complete,
    async *answer(messages, how) {
      yield* complete(await encodePrompt(text, messages, how.tools), how);
    },
    close: async () => {
      await engine.dispose();
      model.close();
    },
  };
}
