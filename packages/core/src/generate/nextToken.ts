/** Where the next token is chosen: on the device, so that it hands over numbers of tokens, or here, from logits. */
import { type Device, type Engine, float32Of, type HostArray, type ProgramCall } from '@anneal/kernels';
import type { Continuation } from './continuation.ts';
import { greedy, type SamplingOptions } from './sample.ts';

/** The CPU's logits lie in memory as they are: choosing here costs no copy. */
export function choosesOn(device: Device): boolean {
  return device.kind === 'cuda';
}

/** Whether this program can choose as these options say: a penalty for what was said before looks at the text. */
export function canChoose({ plan }: Engine, program: string, { repetitionPenalty }: SamplingOptions): boolean {
  return repetitionPenalty === 1 && hasChoice(plan, program);
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
 * The next token after each of the call's `rows`, one of these for each; they take it into their texts.
 * @throws UserError `logits_not_finite`
 */
export async function takeChosen(
  engine: Engine,
  call: DecodeCall,
  continuations: readonly Continuation[],
  sampling: SamplingOptions,
): Promise<void> {
  const draws = Float64Array.from(continuations, (continuation) => continuation.draw());
  const [chosen] = await run(engine, call, ['chosen'], { draws, sampling });
  for (const [i, continuation] of continuations.entries()) continuation.take((chosen as Int32Array)[i] as number);
}

/** Rows of logits that a call makes. */
function rowsOf({ extents: { N = 1 } }: DecodeCall): number {
  return N;
}

/** A program that can choose does so in every call: where nobody asks for it, the likeliest. */
async function run(
  engine: Engine,
  call: DecodeCall,
  results: readonly string[],
  { draws, sampling }: { draws: Float64Array; sampling: SamplingOptions } = {
    draws: new Float64Array(rowsOf(call)),
    sampling: greedy,
  },
): Promise<HostArray[]> {
  const { temperature, topK, topP, minP } = sampling;
  const how = hasChoice(engine.plan, call.program) && {
    draws,
    sampling: Float64Array.of(temperature, topK, topP, minP),
  };
  return (await engine.run([{ ...call, inputs: { ...call.inputs, ...how }, results }])).results;
}
