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
  if (options.repetitionPenalty !== 1) penalize(logits, options.repetitionPenalty, seen);
  if (options.temperature === 0) return argmax(logits);
  const largest = options.topK > 0 ? largestOf(logits, options.topK) : undefined;
  const weights = relativeWeights(logits, options.temperature, largest);
  if (!largest && options.topP === 1 && options.minP === 0) return drawn(weights, random);
  const kept = filtered(logits, weights, options, largest);
  let remaining = random() * sum(weights, kept);
  for (const id of kept) {
    remaining -= weights[id] as number;
    if (remaining < 0) return id;
  }
  return kept.at(-1) as number;
}

/** An id, each as often as it weighs. As with filters that leave every id, but without a list of them. */
function drawn(weights: Float64Array, random: () => number): number {
  let total = 0;
  for (let id = 0; id < weights.length; id++) total += weights[id] as number;
  let remaining = random() * total;
  for (let id = 0; id < weights.length; id++) {
    remaining -= weights[id] as number;
    if (remaining < 0) return id;
  }
  return weights.length - 1;
}

export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

function penalize(logits: Float32Array, penalty: number, seen: Iterable<number>): void {
  for (const id of new Set(seen)) {
    const logit = logits[id] as number;
    logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/** [V]: each token's probability before any filter, as a share of the likeliest token's; of these ids only, or of all. */
function relativeWeights(logits: Float32Array, temperature: number, ids?: Uint32Array): Float64Array {
  const top = logits[argmax(logits)] as number;
  const weights = new Float64Array(logits.length);
  const weigh = (id: number): void => {
    weights[id] = Math.exp(((logits[id] as number) - top) / temperature);
  };
  if (ids) for (const id of ids) weigh(id);
  else for (let id = 0; id < weights.length; id++) weigh(id);
  return weights;
}

/** The ids that top-p and min-p leave: of the largest by top-k, or of all. */
function filtered(
  logits: Float32Array,
  weights: Float64Array,
  { topP, minP }: SamplingOptions,
  largest: Uint32Array | undefined,
): Uint32Array {
  const kept = topP < 1 ? likeliest(logits, weights, topP, largest) : largest;
  // The likeliest weighs 1, so it always stays.
  return kept?.filter((id) => (weights[id] as number) >= minP) ?? atLeast(weights, minP);
}

/** So many ids of the largest logits, in order, ties by id. */
function largestOf(logits: Float32Array, count: number): Uint32Array {
  const top = logits[argmax(logits)] as number;
  for (let distance = 2; ; distance = distance < 2 ** 10 ? 2 * distance : Number.POSITIVE_INFINITY) {
    const ids = atLeast(logits, top - distance);
    if (ids.length < Math.min(count, logits.length) && Number.isFinite(distance)) continue;
    return inOrder(ids, logits).subarray(0, count);
  }
}

/** The likeliest ids that together make up this share, in order, ties by id; at least one. */
function likeliest(logits: Float32Array, weights: Float64Array, share: number, largest?: Uint32Array): Uint32Array {
  if (largest) return nucleus(weights, largest, share * sum(weights, largest)) ?? largest;
  const wanted = share * sum(weights, atLeast(weights, 0));
  for (let bound = 2 ** -10; ; bound **= 2) {
    const ids = atLeast(weights, bound);
    if (bound > 0 && sum(weights, ids) < wanted) continue;
    const ordered = inOrder(ids, logits);
    const found = nucleus(weights, ordered, wanted);
    if (found || bound === 0) return found ?? ordered;
  }
}

/** Only those above a bound are sorted: sorting all of a vocabulary of 152,000 takes 95 ms on Zen 5, far longer than a small model a token. */
function inOrder(ids: Uint32Array, logits: Float32Array): Uint32Array {
  return ids.sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
}

function atLeast(values: Float32Array | Float64Array, bound: number): Uint32Array {
  const ids = new Uint32Array(values.length);
  let count = 0;
  for (let id = 0; id < values.length; id++) if ((values[id] as number) >= bound) ids[count++] = id;
  return ids.subarray(0, count);
}

/** The first of the ordered ids whose weights make up `wanted`; null where all do not. */
function nucleus(weights: Float64Array, ordered: Uint32Array, wanted: number): Uint32Array | null {
  let mass = 0;
  for (const [i, id] of ordered.entries()) {
    mass += weights[id] as number;
    if (mass >= wanted) return ordered.subarray(0, i + 1);
  }
  return null;
}

function sum(weights: Float64Array, ids: Uint32Array): number {
  let total = 0;
  for (const id of ids) total += weights[id] as number;
  return total;
}
