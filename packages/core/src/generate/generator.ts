import { type CpuDevice, compile, cpuDevice, Engine, scratchOf, Variables } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { loadWeights } from '../models/load.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { decodeStream } from '../tokenizers/decodeStream.ts';
import { memoryBudget } from '../trainer/memoryBudget.ts';
import { generate } from './generate.ts';
import { encodePrompt, type ModelText, openModelText } from './modelText.ts';
import { decodeProgram } from './programs.ts';
import type { SamplingOptions } from './sample.ts';

export interface GeneratorOptions {
  /** Folder or GGUF file. */
  readonly modelPath: string;
  /** A PEFT folder that is put on top. */
  readonly adapterFolder?: string | null | undefined;
  /** Tokens that prompt and answer may have together. */
  readonly contextLength: number;
  /** Path of a Jinja file instead of the model's own template. */
  readonly chatTemplate?: string | null | undefined;
  readonly weightType?: 'f32' | 'bf16' | undefined;
  readonly device?: CpuDevice | undefined;
}

export interface AnswerOptions {
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number;
  readonly seed: number;
  /** For templates that know it: think before answering. */
  readonly enableThinking?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How an answer came about. */
export interface AnswerEnd {
  readonly reason: 'stop' | 'length' | 'cancelled';
  readonly promptTokens: number;
  /** Stop token included. */
  readonly tokens: number;
  /** Reading the prompt, up to the first token of the answer. */
  readonly promptMilliseconds: number;
  /** From the first token of the answer to its last. */
  readonly milliseconds: number;
}

export type Answer = AsyncGenerator<string, AnswerEnd>;

/** A model loaded to answer, with or without an adapter. One answer at a time. */
export interface Generator {
  readonly model: OpenModel;
  readonly text: ModelText;
  /** The answer to a conversation, as text that comes piece by piece. @throws UserError when the model has no chat template */
  answer(messages: readonly unknown[], options: AnswerOptions): Answer;
  /** How a plain text goes on. */
  complete(text: string, options: AnswerOptions): Answer;
  close(): Promise<void>;
}

/** Prompt tokens read at once: enough to keep the processor busy, few enough to bound the memory. */
const promptChunk = 256;

/** @throws UserError when the model or the adapter cannot be used, or the memory is not there */
export async function openGenerator(options: GeneratorOptions): Promise<Generator> {
  const { adapterFolder = null, contextLength, device = cpuDevice() } = options;
  const model = openModel(options.modelPath);
  try {
    const text = openModelText(model, { chatTemplate: options.chatTemplate });
    const adapter = adapterFolder === null ? null : loadLoraWeights(adapterFolder, model);
    const type = options.weightType ?? (device.isa === 'avx512bf16' ? 'bf16' : 'f32');
    const weights = { type, trainable: false, lora: adapter && loraSpecOf(adapter, 0), dropoutSeed: null };
    const graph = decodeProgram('decode', new Variables(), { config: model.config, weights, contextLength });
    const bounds = { T: Math.min(promptChunk, contextLength), S: 2, N: 1 };
    const plan = compile([graph], { bounds, activations: 'keep', scratch: scratchOf(device) });
    refuseTooLarge(plan.memory.total, options.modelPath);
    const engine = new Engine(plan, device);
    await loadWeights(engine, model);
    if (adapter) await writeLora(engine, adapter.modules);
    return {
      model,
      text,
      async *answer(messages, how) {
        return yield* stream(engine, text, await encodePrompt(withThinking(text, how.enableThinking), messages), how);
      },
      async *complete(prompt, how) {
        const { ids } = await text.tokenizer.encodeWithSpecial(prompt);
        return yield* stream(engine, text, Int32Array.from(ids), how);
      },
      async close() {
        await engine.dispose();
        model.close();
      },
    };
  } catch (error) {
    model.close();
    throw error;
  }
}

function refuseTooLarge(bytes: number, modelPath: string): void {
  const available = memoryBudget();
  if (bytes <= available) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(2)} GB`;
  throw new UserError({
    what: `the model needs ${gigabytes(bytes)} to answer, ${gigabytes(available)} are free`,
    where: modelPath,
    next: 'take a shorter context, or close other programs',
    code: 'out_of_memory',
  });
}

function withThinking(text: ModelText, enableThinking: boolean | undefined): ModelText {
  if (enableThinking === undefined || text.renderer === null) return text;
  const { renderer } = text;
  return { ...text, renderer: { ...renderer, options: { ...renderer.options, enableThinking } } };
}

async function* stream(
  engine: Engine,
  { tokenizer, stopIds }: ModelText,
  prompt: Int32Array,
  { sampling, maxNewTokens, seed, signal }: AnswerOptions,
): Answer {
  const decoder = decodeStream(tokenizer, { skipSpecial: true });
  const started = performance.now();
  let first = started;
  let last = started;
  let tokens = 0;
  let reason: AnswerEnd['reason'] = 'length';
  const options = { program: 'decode', sampling, maxNewTokens, stopIds, seed, signal };
  for await (const id of generate(engine, prompt, options)) {
    last = performance.now();
    if (tokens === 0) first = last;
    tokens++;
    if (stopIds.has(id)) {
      reason = 'stop';
      break;
    }
    const piece = await decoder.push(id);
    if (piece !== '') yield piece;
  }
  const rest = await decoder.finish();
  if (rest !== '') yield rest;
  if (signal?.aborted) reason = 'cancelled';
  return {
    reason,
    promptTokens: prompt.length,
    tokens,
    promptMilliseconds: first - started,
    milliseconds: last - first,
  };
}
