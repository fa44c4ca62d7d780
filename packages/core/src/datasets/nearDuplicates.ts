/** Documents that say nearly the same, found by MinHash over runs of tokens. */

export interface NearDuplicate {
  /** Positions in the list given, `first < second`. */
  readonly first: number;
  readonly second: number;
  /** Jaccard similarity of their token 5-grams, below 1 or of documents that differ only in repetitions. */
  readonly similarity: number;
}

/** Tokens of a run that is compared. */
const SHINGLE = 5;
/** One-permutation hashing: the least hash in each of so many bins stands for a document. */
const BINS = 64;
/** Documents that agree in all bins of any band are compared: at a similarity of 0.8, 999 of 1000 pairs meet. */
const BAND = 4;
/** Documents compared with one that share a band; a band that thousands share is a common prompt. */
const MAX_BUCKET = 50;

/**
 * Pairs whose similarity reaches `threshold`, each with its exact similarity. Time is linear in the tokens.
 * @param documents token ids
 */
export function findNearDuplicates(documents: readonly ArrayLike<number>[], threshold = 0.8): NearDuplicate[] {
  const signatures = documents.map(signatureOf);
  const buckets = new Map<string, number[]>();
  for (const [i, signature] of signatures.entries()) {
    for (let band = 0; band < BINS; band += BAND) {
      const key = `${band}:${signature.subarray(band, band + BAND).join()}`;
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [i]);
      else if (bucket.length < MAX_BUCKET) bucket.push(i);
    }
  }
  const pairs = new Map<string, NearDuplicate>();
  for (const bucket of buckets.values()) {
    for (const [at, second] of bucket.entries()) {
      for (const first of bucket.slice(0, at)) {
        const key = `${first}:${second}`;
        if (pairs.has(key)) continue;
        const similarity = jaccard(documents[first] as ArrayLike<number>, documents[second] as ArrayLike<number>);
        pairs.set(key, { first, second, similarity });
      }
    }
  }
  return [...pairs.values()].filter((pair) => pair.similarity >= threshold);
}

function signatureOf(document: ArrayLike<number>): Uint32Array {
  const signature = new Uint32Array(BINS).fill(0xffff_ffff);
  for (const hash of shingles(document)) {
    const bin = hash % BINS;
    const rest = Math.floor(hash / BINS);
    if (rest < (signature[bin] as number)) signature[bin] = rest;
  }
  // An empty bin takes its neighbor's value, so that short documents compare as well.
  for (let i = 2 * BINS - 1; i >= 0; i--) {
    if (signature[i % BINS] === 0xffff_ffff) signature[i % BINS] = signature[(i + 1) % BINS] as number;
  }
  return signature;
}

function jaccard(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [left, right] = [new Set(shingles(a)), new Set(shingles(b))];
  let common = 0;
  for (const hash of left) if (right.has(hash)) common++;
  const all = left.size + right.size - common;
  return all === 0 ? 1 : common / all;
}

/** 32-bit hashes of all runs of `SHINGLE` tokens; of the whole where it is shorter. */
function* shingles(document: ArrayLike<number>): Generator<number> {
  const last = Math.max(1, document.length - SHINGLE + 1);
  for (let i = 0; i < last; i++) {
    let hash = 0x811c9dc5;
    for (let j = i; j < Math.min(i + SHINGLE, document.length); j++)
      hash = Math.imul(hash ^ (document[j] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    yield (hash ^ (hash >>> 13)) >>> 0;
  }
}
