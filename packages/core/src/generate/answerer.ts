import { type CpuDevice, compile, cpuDevice, Engine, scratchOf, Variables } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { loadWeights } from '../models/load.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { decodeStream } from '../tokenizers/decodeStream.ts';
import { generate } from './generate.ts';
import { encodePrompt, type ModelText, type ModelTextOptions, openModelText } from './modelText.ts';
import { decodeProgram } from './programs.ts';
import type { SamplingOptions } from './sample.ts';

export interface AnswererOptions {
  readonly modelPath: string;
  /** A PEFT folder put on top of the model. */
  readonly adapterFolder?: string | null | undefined;
  readonly device?: CpuDevice | undefined;
  readonly weightType: 'f32' | 'bf16';
  /** Prompt and answer together, in tokens; at most what the model was made for. */
  readonly contextLength: number;
  readonly text?: ModelTextOptions | undefined;
  readonly onLoad?: ((loaded: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AnswerOptions {
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number;
  readonly seed: number;
  /** false: the base model, without the adapter. */
  readonly adapter?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A piece of an answer: its text, and how many tokens have been made so far. */
export interface AnswerPiece {
  readonly text: string;
  readonly tokens: number;
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
  const { config } = model;
  const device = options.device ?? cpuDevice();
  const text = openModelText(model, options.text);
  const adapter = options.adapterFolder ? loadLoraWeights(options.adapterFolder, model) : null;
  const contextLength = Math.min(options.contextLength, config.maxPositions);
  const engine = decodeEngine(model, adapter, device, options.weightType, contextLength);
  await loadWeights(engine, model, { onProgress: options.onLoad ?? (() => undefined), signal: options.signal });
  if (adapter) await writeLora(engine, adapter.modules);

  async function* complete(prompt: Int32Array, how: AnswerOptions): AsyncGenerator<AnswerPiece> {
    const program = adapter && how.adapter !== false ? 'adapted' : 'base';
    const stream = decodeStream(text.tokenizer);
    let tokens = 0;
    for await (const id of generate(engine, prompt, { ...how, program, stopIds: text.stopIds })) {
      tokens++;
      const piece = text.stopIds.has(id) ? '' : await stream.push(id);
      yield { text: piece, tokens };
    }
    const rest = await stream.finish();
    if (rest !== '') yield { text: rest, tokens };
  }
  return {
    model,
    text,
    contextLength,
    complete,
    async *answer(messages, how) {
      yield* complete(await encodePrompt(text, messages), how);
    },
    close: async () => {
      await engine.dispose();
      model.close();
    },
  };
}

/** Both programs share weights and cache: comparing a tuned model with its base costs no second copy. */
function decodeEngine(
  model: OpenModel,
  adapter: LoraWeights | null,
  device: CpuDevice,
  type: 'f32' | 'bf16',
  contextLength: number,
): Engine {
  const variables = new Variables();
  const weights = { type, trainable: false, lora: null, dropoutSeed: null };
  const { config } = model;
  const programs = [decodeProgram('base', variables, { config, weights, contextLength })];
  if (adapter) {
    programs.push(
      decodeProgram('adapted', variables, {
        config,
        weights: { ...weights, lora: loraSpecOf(adapter, 0) },
        contextLength,
      }),
    );
  }
  const bounds = { T: Math.min(PROMPT_CHUNK, contextLength), S: 2, N: 1 };
  const plan = compile(programs, { bounds, activations: 'keep', scratch: scratchOf(device) });
  try {
    return new Engine(plan, device);
  } catch (cause) {
    throw new UserError({
      what: `the model does not fit into memory: ${(plan.memory.total / 1e9).toFixed(2)} GB are needed`,
      where: model.path,
      next: 'choose a shorter context, or bfloat16 weights',
      code: 'out_of_memory',
      cause,
    });
  }
}
