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
    const isFinite = Number.isFinite(logits[argmax(logits)]);
    return this.take(isFinite ? sample(logits, this.#sampling, this.text, () => this.draw()) : -1);
  }

  /** The next of its random numbers, in [0, 1). */
  draw(): number {
    return this.#uint32() / 2 ** 32;
  }

  /**
   * @param id chosen elsewhere; -1 where the logits are not finite
   * @throws UserError `logits_not_finite`
   */
  take(id: number): number {
    if (id < 0) throw notFinite(this.text.length);
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
