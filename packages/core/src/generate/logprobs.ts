/** What the model itself thought of a token, before anything that sampling does to its logits. */
export interface TokenLogprob {
  readonly id: number;
  /** Natural logarithm of the token's probability. */
  readonly logprob: number;
}

export interface Logprobs {
  readonly chosen: number;
  /** The likeliest tokens in order, ties by id. */
  readonly top: readonly TokenLogprob[];
}

/** @param logits [V], as the model computed them */
export function logprobsOf(logits: Float32Array, chosen: number, count: number): Logprobs {
  const top = likeliest(logits, Math.max(1, count));
  const highest = logits[top[0] as number] as number;
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp((logits[id] as number) - highest);
  const normalizer = highest + Math.log(sum);
  const logprob = (id: number): number => (logits[id] as number) - normalizer;
  return { chosen: logprob(chosen), top: top.slice(0, count).map((id) => ({ id, logprob: logprob(id) })) };
}

/** Few of many: each logit is compared with the lowest of those found, and seldom goes in. */
function likeliest(logits: Float32Array, count: number): number[] {
  const found: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (found.length === count && logit <= (logits[found.at(-1) as number] as number)) continue;
    let place = found.length;
    while (place > 0 && (logits[found[place - 1] as number] as number) < logit) place--;
    found.splice(place, 0, id);
    if (found.length > count) found.pop();
  }
  return found;
}
