import type { Engine } from '@anneal/kernels';
import { Continuation } from './continuation.ts';
import { contextLengthOf } from './generate.ts';
import { type DecodeCall, takeNext } from './nextToken.ts';
import type { SamplingOptions } from './sample.ts';

export interface TogetherOptions {
  /** A decode program of several sequences; where layers carry states, it has one for each answer. */
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
  /** Of its state, where layers carry one. */
  readonly slot: number;
}

/** Rows of a cache for these prompts with so many answers each. */
export function rowsTogether(
  promptTokens: number,
  { answers, maxNewTokens }: { answers: number; maxNewTokens: number },
): number {
  return promptTokens + answers * maxNewTokens;
}

/**
 * Answers prompts beside each other: each is read once, its answers share its part of the cache and begin with its state, and every call goes
 * on with all answers that have not ended. Overwrites the program's cache. The plan has to have room: N for all answers, T for the longest prompt.
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
        slot: p * answers + a,
      }),
    );
  });
  await beginAnswers(engine, places, options);
  const isOver = ({ continuation: { text }, promptTokens }: Place): boolean =>
    stopIds.has(text.at(-1) as number) || text.length - promptTokens >= maxNewTokens;
  const all = places.flat();
  let going = all.filter((place) => !isOver(place));
  while (going.length > 0) {
    const size = engine.device.kind === 'cuda' ? Math.min(recurringSize(going.length), all.length) : going.length;
    const filling = new Set(size > going.length ? all.filter(isOver).slice(0, size - going.length) : []);
    const called = all.filter((place) => filling.has(place) || !isOver(place));
    const call = callOf(engine, options.program, called.map(newest));
    const texts = called.map((place) => (filling.has(place) ? [] : [place.continuation]));
    await takeNext(engine, call, texts, sampling);
    going = going.filter((place) => !isOver(place));
  }
  return places.map((ofPrompt) =>
    ofPrompt.map(({ continuation: { text }, promptTokens }) => ({
      ids: Int32Array.from(text.slice(promptTokens)),
      ended: stopIds.has(text.at(-1) as number),
    })),
  );
}

/**
 * Answers of a call on a GPU, which records the launches of calls that come again: one of few numbers, and some that have ended fill it
 * up. They are read again, and nothing is taken of it.
 */
export function recurringSize(answers: number): number {
  const power = 2 ** Math.ceil(Math.log2(answers));
  return answers <= power * 0.75 && power >= 4 ? power * 0.75 : power;
}

/** New tokens of one sequence, from position `start` on. */
interface Part extends Pick<Place, 'promptRow' | 'promptTokens' | 'answerRow' | 'slot'> {
  readonly tokens: Int32Array;
  readonly start: number;
  /** From its own on, which the state after these tokens goes to. */
  readonly slots: number;
}

function newest({ continuation: { text }, ...place }: Place): Part {
  return { ...place, tokens: Int32Array.of(text.at(-1) as number), start: text.length - 1, slots: 1 };
}

/** Reads each prompt, in as few calls as the plan has room for, and takes the first token of each of its answers. */
async function beginAnswers(
  engine: Engine,
  places: readonly (readonly Place[])[],
  { program, sampling }: TogetherOptions,
): Promise<void> {
  const { T = 0, N = 0 } = engine.plan.bounds;
  let read: Beginning[] = [];
  const begin = async (): Promise<void> => {
    const [parts, texts] = [read.map(({ part }) => part), read.map((beginning) => beginning.texts)];
    if (parts.length > 0) await takeNext(engine, callOf(engine, program, parts), texts, sampling);
    read = [];
  };
  for (const answers of places) {
    const [{ promptRow, promptTokens, slot, continuation }] = answers as [Place];
    const tokens = Int32Array.from(continuation.text);
    const total = read.reduce((sum, { part }) => sum + part.tokens.length, tokens.length);
    if (total > T || read.length === N) await begin();
    const part = { promptRow, promptTokens, answerRow: 0, slot, slots: answers.length, tokens, start: 0 };
    read.push({ part, texts: answers.map((answer) => answer.continuation) });
  }
  await begin();
}

/** A prompt, and the answers that begin after it. */
interface Beginning {
  readonly part: Part;
  readonly texts: readonly Continuation[];
}

/** Reads these parts; its rows are the last token of each. */
function callOf({ plan }: Engine, program: string, parts: readonly Part[]): DecodeCall {
  const tokens = Int32Array.from(parts.flatMap((part) => Array.from(part.tokens)));
  const positions = Int32Array.from(parts.flatMap((part) => Array.from(part.tokens, (_, i) => part.start + i)));
  const sequences = new Int32Array(4 * parts.length);
  const slots = new Int32Array(3 * parts.length);
  const rows = new Int32Array(parts.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    sequences.set([at, part.promptRow, part.promptTokens, part.answerRow], 4 * i);
    slots.set([at, part.slot, part.slots], 3 * i);
    at += part.tokens.length;
    rows[i] = at - 1;
  }
  const carries = plan.programs.find(({ name }) => name === program)?.inputs.has('slots');
  const inputs = { tokens, positions, sequences, rows, ...(carries && { slots }) };
  return { program, extents: { T: tokens.length, N: parts.length }, inputs };
}
