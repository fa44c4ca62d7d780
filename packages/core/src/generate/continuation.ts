import { UserError } from '../errors.ts';
import { random } from '../random.ts';
import { argmax, type SamplingOptions, sample } from './sample.ts';

/** One answer as it comes: the text so far, its prompt included, and random numbers of its own. */
export class Continuation {
  /** Token ids. */
  readonly text: number[];
  readonly #sampling: SamplingOptions;
  readonly #uint32: () => number;

  /** @param seeds the same ones give the same answer */
  constructor(prompt: Int32Array, sampling: SamplingOptions, ...seeds: readonly (number | string)[]) {
    this.text = Array.from(prompt);
    this.#sampling = sampling;
    this.#uint32 = random('generate', ...seeds).uint32;
  }

  /**
   * Chooses the next token and takes it into the text.
   * @param logits [V]; changed in place by a repetition penalty
   * @throws UserError `logits_not_finite`
   */
  next(logits: Float32Array): number {
    if (!Number.isFinite(logits[argmax(logits)])) throw notFinite(this.text.length);
    const id = sample(logits, this.#sampling, this.text, () => this.#uint32() / 2 ** 32);
    this.text.push(id);
    return id;
  }
}

export function notFinite(tokens: number): UserError {
  return new UserError({
    what: `what the model says after ${tokens} tokens is no number (NaN or infinite logits)`,
    next: 'weights of the model or of its adapter are not finite: use an earlier checkpoint, or fetch the files again',
    code: 'logits_not_finite',
  });
}
