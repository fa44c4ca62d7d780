import { type Engine, float32Of, type HostArray } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { Continuation, notFinite } from './continuation.ts';
import { type Logprobs, logprobsOf } from './logprobs.ts';
import { ownCache, sharedCache } from './programs.ts';
import { argmax, type SamplingOptions } from './sample.ts';

export interface GenerateOptions {
  /** Which decode program answers: with the adapter, or the base model. */
  readonly program: string;
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number;
  /** Tokens that end the answer; the one that does is still given out. */
  readonly stopIds: ReadonlySet<number>;
  readonly seed: number;
  /** Tells for each token its logarithmic probability, and that of so many of the likeliest. */
  readonly topLogprobs?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratedToken {
  readonly id: number;
  /** null where they are not asked for. */
  readonly logprobs: Logprobs | null;
}

type Forwarding = Pick<GenerateOptions, 'program' | 'signal'>;

/**
 * Answers a prompt token by token. The program's cache is overwritten: one generation at a time for each cache.
 * @throws UserError when the prompt leaves no room in the context, or the model computes no numbers
 */
export async function* generate(
  engine: Engine,
  prompt: Int32Array,
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken> {
  const contextLength = contextLengthOf(engine, options.program);
  if (prompt.length === 0)
    throw new UserError({ what: 'the prompt is empty', next: 'give at least one token', code: 'prompt_empty' });
  if (prompt.length >= contextLength) {
    throw new UserError({
      what: `the prompt has ${prompt.length} tokens, which leaves no room in a context of ${contextLength}`,
      next: 'shorten it, or choose a longer context',
      code: 'prompt_too_long',
    });
  }
  const answer = new Continuation(prompt, options.sampling, options.seed);
  let logits = await readPrompt(engine, prompt, options);
  for (let made = 0; made < options.maxNewTokens && logits; made++) {
    const count = options.topLogprobs ?? null;
    const asComputed = count === null ? null : logits.slice();
    const id = answer.next(logits);
    yield { id, logprobs: asComputed && logprobsOf(asComputed, id, count as number) };
    const { length } = answer.text;
    if (options.stopIds.has(id) || length >= contextLength || made + 1 >= options.maxNewTokens) return;
    logits = await forward(engine, options, Int32Array.of(id), length - 1);
  }
}

export interface Likeliest {
  readonly id: number;
  /** By how much its logit is above that of the token which the text has there: 0 where they are the same. */
  readonly margin: number;
}

/**
 * What greedy decoding would say after the prompt and after each token of `text` but the last: as many tokens as `text` has. A text
 * that it would itself have said comes back as it is; after a token that differs, the text still goes on as given.
 */
export async function likeliestTokens(
  engine: Engine,
  prompt: Int32Array,
  text: readonly number[],
  how: Forwarding,
): Promise<Likeliest[]> {
  const likeliest: Likeliest[] = [];
  let logits = await readPrompt(engine, prompt, how);
  for (const [at, given] of text.entries()) {
    if (!logits) throw how.signal?.reason;
    const id = argmax(logits);
    if (!Number.isFinite(logits[id])) throw notFinite(prompt.length + at);
    likeliest.push({ id, margin: (logits[id] as number) - (logits[given] as number) });
    if (at + 1 < text.length) logits = await forward(engine, how, Int32Array.of(given), prompt.length + at);
  }
  return likeliest;
}

async function readPrompt(engine: Engine, prompt: Int32Array, options: Forwarding): Promise<Float32Array | null> {
  const chunk = engine.plan.bounds.T as number;
  let logits: Float32Array | null = null;
  for (let start = 0; start < prompt.length; start += chunk) {
    logits = await forward(engine, options, prompt.subarray(start, start + chunk), start);
    if (!logits) return null;
  }
  return logits;
}

/** Logits after the last of the tokens, or null when cancelled. */
async function forward(
  engine: Engine,
  options: Forwarding,
  tokens: Int32Array,
  start: number,
): Promise<Float32Array | null> {
  if (options.signal?.aborted) return null;
  const positions = Int32Array.from(tokens, (_, i) => start + i);
  const inputs = { tokens, positions, rows: Int32Array.of(tokens.length - 1) };
  const call = { program: options.program, extents: { T: tokens.length, N: 1 }, inputs, results: ['logits'] };
  const { results } = await engine.run([call]);
  return float32Of(results[0] as HostArray);
}

/** Tokens that a program's cache holds. */
export function contextLengthOf({ plan }: Pick<Engine, 'plan'>, program: string): number {
  const keysIn = (cache: string) =>
    [...plan.variables].find(([name]) => name.startsWith(`${cache}/layers.`) && name.endsWith('.keys'))?.[1];
  const keys = keysIn(ownCache(program)) ?? keysIn(sharedCache);
  if (!keys) throw new Error('the plan has no cache: it cannot generate');
  return keys.tensor.shape[0] as number;
}
