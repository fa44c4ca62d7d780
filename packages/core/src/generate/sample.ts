/** How the next token is chosen. The defaults of each field switch it off. */
export interface SamplingOptions {
  /** 0: always the most likely token. */
  readonly temperature: number;
  /** 0: all tokens. */
  readonly topK: number;
  readonly topP: number;
  /** Least probability, relative to the most likely token's. */
  readonly minP: number;
  /** > 1 makes tokens that are already in the text less likely (Keskar et al. 2019). */
  readonly repetitionPenalty: number;
}

export const greedy: SamplingOptions = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/**
 * The next token. Filters apply in transformers' order: repetition penalty, temperature, top-k, top-p, min-p.
 * @param logits [V]; changed in place by the repetition penalty
 * @param seen ids already in the text
 * @param random gives numbers in [0, 1)
 */
export function sample(
  logits: Float32Array,
  options: SamplingOptions,
  seen: Iterable<number>,
  random: () => number,
): number {
  if (options.repetitionPenalty !== 1) penalise(logits, options.repetitionPenalty, seen);
  if (options.temperature === 0) return argmax(logits);
  const candidates = largest(logits, options.topK > 0 ? options.topK : logits.length);
  const top = logits[candidates[0] as number] as number;
  const weights = Array.from(candidates, (id) => Math.exp(((logits[id] as number) - top) / options.temperature));
  let kept = weights.length;
  if (options.topP < 1) kept = nucleus(weights, options.topP);
  if (options.minP > 0) while (kept > 1 && (weights[kept - 1] as number) < options.minP) kept--;
  let remaining = random() * weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < kept; i++) {
    remaining -= weights[i] as number;
    if (remaining < 0) return candidates[i] as number;
  }
  return candidates[kept - 1] as number;
}

export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

function penalise(logits: Float32Array, penalty: number, seen: Iterable<number>): void {
  for (const id of new Set(seen)) {
    const logit = logits[id] as number;
    logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/** Ids of the k largest logits, largest first; ties by id. */
function largest(logits: Float32Array, k: number): Uint32Array {
  const ids = Uint32Array.from({ length: logits.length }, (_, id) => id);
  const order = (a: number, b: number) => (logits[b] as number) - (logits[a] as number) || a - b;
  if (k >= logits.length) return ids.sort(order);
  const threshold = Float32Array.from(logits).sort()[logits.length - k] as number;
  return ids
    .filter((id) => (logits[id] as number) >= threshold)
    .sort(order)
    .subarray(0, k);
}

/** How many of the descending weights make up the share `topP` of their sum; at least one. */
function nucleus(weights: readonly number[], topP: number): number {
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (const [i, weight] of weights.entries()) {
    sum += weight;
    if (sum >= wanted) return i + 1;
  }
  return weights.length;
}
