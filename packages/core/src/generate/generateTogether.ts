import type { Engine } from '@anneal/kernels';
import { Continuation } from './continuation.ts';
import { contextLengthOf } from './generate.ts';
import { canChoose, type DecodeCall, logitsAfter, takeChosen } from './nextToken.ts';
import type { SamplingOptions } from './sample.ts';

export interface TogetherOptions {
  /** A decode program of several sequences. */
  readonly program: string;
  readonly sampling: SamplingOptions;
  /** To each prompt. */
  readonly answers: number;
  readonly maxNewTokens: number;
  /** Tokens that end an answer; the one that does is part of it. */
  readonly stopIds: ReadonlySet<number>;
  /** What the random numbers of an answer follow from. */
  readonly seedsOf: (prompt: number, answer: number) => readonly (number | string)[];
}

export interface FinishedAnswer {
  readonly ids: Int32Array;
  /** By a token that ends answers; otherwise it was cut. */
  readonly ended: boolean;
}

/** An answer on its way, and where it lies in the cache. */
interface Place {
  readonly continuation: Continuation;
  readonly promptRow: number;
  readonly promptTokens: number;
  readonly answerRow: number;
}

/** Rows of a cache for these prompts with so many answers each. */
export function rowsTogether(
  promptTokens: number,
  { answers, maxNewTokens }: { answers: number; maxNewTokens: number },
): number {
  return promptTokens + answers * maxNewTokens;
}

/**
 * Answers prompts beside each other: each is read once, its answers share its part of the cache, and every call goes on with all answers
 * that have not ended. Overwrites the program's cache. The plan has to have room: N for all answers, T for the longest prompt.
 * @returns of each prompt its answers, in their order
 * @throws UserError `logits_not_finite`
 */
export async function generateTogether(
  engine: Engine,
  prompts: readonly Int32Array[],
  options: TogetherOptions,
): Promise<FinishedAnswer[][]> {
  const { answers, maxNewTokens, stopIds, sampling, seedsOf } = options;
  const total = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const rows = rowsTogether(total, { answers: prompts.length * answers, maxNewTokens });
  if (rows > contextLengthOf(engine, options.program)) throw new Error('the cache has no room for these answers');
  const first = await readPrompts(engine, prompts, options.program);
  let promptRow = 0;
  const places = prompts.map((prompt, p) => {
    const row = promptRow;
    promptRow += prompt.length;
    return Array.from(
      { length: answers },
      (_, a): Place => ({
        continuation: new Continuation(prompt, sampling, ...seedsOf(p, a)),
        promptRow: row,
        promptTokens: prompt.length,
        answerRow: total + (p * answers + a) * maxNewTokens,
      }),
    );
  });
  // The answers to a prompt begin from the same logits, which a penalty may change in place.
  for (const [p, ofPrompt] of places.entries()) {
    for (const { continuation } of ofPrompt) continuation.next((first[p] as Float32Array).slice());
  }
  const isOver = ({ continuation: { text }, promptTokens }: Place): boolean =>
    stopIds.has(text.at(-1) as number) || text.length - promptTokens >= maxNewTokens;
  let going = places.flat().filter((place) => !isOver(place));
  const chooses = canChoose(engine, options.program, sampling);
  while (going.length > 0) {
    const call = callOf(options.program, going.map(newest));
    const continuations = going.map(({ continuation }) => continuation);
    if (chooses) {
      await takeChosen(engine, call, continuations, sampling);
    } else {
      const logits = await logitsAfter(engine, call);
      for (const [i, continuation] of continuations.entries()) continuation.next(logits[i] as Float32Array);
    }
    going = going.filter((place) => !isOver(place));
  }
  return places.map((ofPrompt) =>
    ofPrompt.map(({ continuation: { text }, promptTokens }) => ({
      ids: Int32Array.from(text.slice(promptTokens)),
      ended: stopIds.has(text.at(-1) as number),
    })),
  );
}

/** New tokens of one sequence, from position `start` on. */
interface Part extends Pick<Place, 'promptRow' | 'promptTokens' | 'answerRow'> {
  readonly tokens: Int32Array;
  readonly start: number;
}

function newest({ continuation: { text }, ...place }: Place): Part {
  return { ...place, tokens: Int32Array.of(text.at(-1) as number), start: text.length - 1 };
}

/** In as few calls as the plan has room for. @returns the logits after each prompt */
async function readPrompts(engine: Engine, prompts: readonly Int32Array[], program: string): Promise<Float32Array[]> {
  const { T = 0, N = 0 } = engine.plan.bounds;
  const logits: Float32Array[] = [];
  let parts: Part[] = [];
  let tokens = 0;
  let promptRow = 0;
  const read = async (): Promise<void> => {
    if (parts.length > 0) logits.push(...(await logitsAfter(engine, callOf(program, parts))));
    parts = [];
    tokens = 0;
  };
  for (const prompt of prompts) {
    if (tokens + prompt.length > T || parts.length === N) await read();
    parts.push({ promptRow, promptTokens: prompt.length, answerRow: 0, tokens: prompt, start: 0 });
    tokens += prompt.length;
    promptRow += prompt.length;
  }
  await read();
  return logits;
}

/** Reads these parts; its rows are the last token of each. */
function callOf(program: string, parts: readonly Part[]): DecodeCall {
  const tokens = Int32Array.from(parts.flatMap((part) => Array.from(part.tokens)));
  const positions = Int32Array.from(parts.flatMap((part) => Array.from(part.tokens, (_, i) => part.start + i)));
  const sequences = new Int32Array(4 * parts.length);
  const rows = new Int32Array(parts.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    sequences.set([at, part.promptRow, part.promptTokens, part.answerRow], 4 * i);
    at += part.tokens.length;
    rows[i] = at - 1;
  }
  const inputs = { tokens, positions, sequences, rows };
  return { program, extents: { T: tokens.length, N: parts.length }, inputs };
}
