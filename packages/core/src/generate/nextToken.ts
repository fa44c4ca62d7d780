/** Where the next token is chosen: on the device, so that it hands over numbers of tokens, or here, from logits. */
import { type Engine, float32Of, type HostArray, type ProgramCall } from '@anneal/kernels';
import type { Continuation } from './continuation.ts';
import { greedy, type SamplingOptions } from './sample.ts';

/**
 * Whether this program can choose as these options say: a penalty for what was said before looks at the text. On the CPU, whose logits lie
 * in memory as they are, it draws from all tokens beside each other, and those that top_k and top_p leave are found faster here.
 */
function canChoose({ plan, device }: Engine, program: string, sampling: SamplingOptions): boolean {
  const { repetitionPenalty, temperature, topK, topP } = sampling;
  const isFast = device.kind === 'cuda' || temperature === 0 || (topK === 0 && topP === 1);
  return repetitionPenalty === 1 && isFast && hasChoice(plan, program);
}

function hasChoice(plan: Engine['plan'], program: string): boolean {
  return plan.programs.find(({ name }) => name === program)?.results.has('chosen') ?? false;
}

/** A call of a decode program without what it chooses by. */
export type DecodeCall = Omit<ProgramCall, 'results'>;

/** Logits after each of the call's `rows`. */
export async function logitsAfter(engine: Engine, call: DecodeCall): Promise<Float32Array[]> {
  const [values] = await run(engine, call, ['logits']);
  const logits = float32Of(values as HostArray);
  const rows = rowsOf(call);
  const size = logits.length / rows;
  return Array.from({ length: rows }, (_, i) => logits.subarray(i * size, (i + 1) * size));
}

/** Only fills the cache. */
export async function readTokens(engine: Engine, call: DecodeCall): Promise<void> {
  await run(engine, call, []);
}

/**
 * Each of these texts takes its next token: of every row of the call those that go on after it, which may be none. Where the program
 * cannot choose as the options say, tokens are chosen here.
 * @throws UserError `logits_not_finite`
 */
export async function takeNext(
  engine: Engine,
  call: DecodeCall,
  continuations: readonly (readonly Continuation[])[],
  sampling: SamplingOptions,
): Promise<void> {
  if (!canChoose(engine, call.program, sampling)) {
    const logits = await logitsAfter(engine, call);
    for (const [row, texts] of continuations.entries()) {
      const own = logits[row] as Float32Array;
      // A penalty changes them in place.
      for (const text of texts) text.next(texts.length > 1 ? own.slice() : own);
    }
    return;
  }
  const texts = continuations.flat();
  // For each row one at least, so that calls of as many rows are alike.
  const choices = Math.max(texts.length, rowsOf(call));
  const rows = new Int32Array(choices);
  rows.set(continuations.flatMap((ofRow, row) => ofRow.map(() => row)));
  const draws = new Float64Array(choices);
  draws.set(texts.map((text) => text.draw()));
  const [chosen] = await run(engine, call, ['chosen'], { rows, draws, sampling });
  for (const [i, text] of texts.entries()) text.take((chosen as Int32Array)[i] as number);
}

/** Rows of logits that a call makes. */
function rowsOf({ extents: { N = 1 } }: DecodeCall): number {
  return N;
}

/** A program that can choose does so in every call: where nobody asks for it, the likeliest of one row. */
async function run(
  engine: Engine,
  call: DecodeCall,
  results: readonly string[],
  { rows, draws, sampling }: Choices = { rows: new Int32Array(1), draws: new Float64Array(1), sampling: greedy },
): Promise<HostArray[]> {
  if (!hasChoice(engine.plan, call.program)) return (await engine.run([{ ...call, results }])).results;
  const { temperature, topK, topP, minP } = sampling;
  const how = { choices: rows, draws, sampling: Float64Array.of(temperature, topK, topP, minP) };
  const extents = { ...call.extents, C: rows.length };
  return (await engine.run([{ ...call, extents, inputs: { ...call.inputs, ...how }, results }])).results;
}

interface Choices {
  /** Of the logits, for each token. */
  readonly rows: Int32Array;
  readonly draws: Float64Array;
  readonly sampling: SamplingOptions;
}
