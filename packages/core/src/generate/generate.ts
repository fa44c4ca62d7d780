import type { Engine } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { Continuation, notFinite } from './continuation.ts';
import { type Logprobs, logprobsOf } from './logprobs.ts';
import { type DecodeCall, logitsAfter, readTokens, takeNext } from './nextToken.ts';
import { ownCache, sharedCache } from './programs.ts';
import { argmax, type SamplingOptions } from './sample.ts';

export interface GenerateOptions {
  /** Which decode program answers: with the adapter, or the base model. */
  readonly program: string;
  readonly sampling: SamplingOptions;
  readonly maxNewTokens: number;
  /** Tokens that end the answer; the one that does is still given out. */
  readonly stopIds: ReadonlySet<number>;
  /** Or several, of which it follows as well. */
  readonly seed: number | readonly (number | string)[];
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
  const answer = new Continuation(prompt, options.sampling, ...[options.seed].flat());
  let call = await readPrompt(engine, prompt, options);
  for (let made = 0; made < options.maxNewTokens && call && !options.signal?.aborted; made++) {
    const token = await nextToken(engine, call, answer, options);
    yield token;
    const { length } = answer.text;
    if (options.stopIds.has(token.id) || length >= contextLength || made + 1 >= options.maxNewTokens) return;
    call = callOf(options.program, Int32Array.of(token.id), length - 1);
  }
}

/** What the answer goes on with after this call, which it takes into its text. */
async function nextToken(
  engine: Engine,
  call: DecodeCall,
  answer: Continuation,
  { sampling, topLogprobs = null }: GenerateOptions,
): Promise<GeneratedToken> {
  if (topLogprobs === null) {
    await takeNext(engine, call, [[answer]], sampling);
    return { id: answer.text.at(-1) as number, logprobs: null };
  }
  const [logits] = (await logitsAfter(engine, call)) as [Float32Array];
  const asComputed = logits.slice();
  const id = answer.next(logits);
  return { id, logprobs: logprobsOf(asComputed, id, topLogprobs) };
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
  let call = await readPrompt(engine, prompt, how);
  for (const [at, given] of text.entries()) {
    if (!call || how.signal?.aborted) throw how.signal?.reason;
    const [logits] = (await logitsAfter(engine, call)) as [Float32Array];
    const id = argmax(logits);
    if (!Number.isFinite(logits[id])) throw notFinite(prompt.length + at);
    likeliest.push({ id, margin: (logits[id] as number) - (logits[given] as number) });
    call = callOf(how.program, Int32Array.of(given), prompt.length + at);
  }
  return likeliest;
}

/** Reads all of the prompt but its last part. @returns the call that reads this; null when cancelled */
async function readPrompt(
  engine: Engine,
  prompt: Int32Array,
  { program, signal }: Forwarding,
): Promise<DecodeCall | null> {
  const chunk = engine.plan.bounds.T as number;
  let start = 0;
  for (; start + chunk < prompt.length; start += chunk) {
    if (signal?.aborted) return null;
    await readTokens(engine, callOf(program, prompt.subarray(start, start + chunk), start));
  }
  return callOf(program, prompt.subarray(start), start);
}

/** Reads these tokens, of which the first lies at position `start`. */
function callOf(program: string, tokens: Int32Array, start: number): DecodeCall {
  const positions = Int32Array.from(tokens, (_, i) => start + i);
  const inputs = { tokens, positions, rows: Int32Array.of(tokens.length - 1) };
  return { program, extents: { T: tokens.length, N: 1 }, inputs };
}

/** Tokens that a program's cache holds. */
export function contextLengthOf({ plan }: Pick<Engine, 'plan'>, program: string): number {
  const keysIn = (cache: string) =>
    [...plan.variables].find(([name]) => name.startsWith(`${cache}/layers.`) && name.endsWith('.keys'))?.[1];
  const keys = keysIn(ownCache(program)) ?? keysIn(sharedCache);
  if (!keys) throw new Error('the plan has no cache: it cannot generate');
  return keys.tensor.shape[0] as number;
}
