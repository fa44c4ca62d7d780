/** What a comparison of answers comes to. Without schemas, so that the studio loads little. */
import type { Parity } from './exports.ts';

/** Tokens whose logits are nearer than this change places when weights are rounded to 16 bits. */
const nearTie = 0.2;

/**
 * `same`: every token. `near_tie`: promised, and all that differs lies nearer than rounding. `rounded`: not promised, and it differs.
 * `different`: a promise that does not hold, or a prompt that becomes other tokens.
 */
export type ParityVerdict = 'same' | 'near_tie' | 'rounded' | 'different';

export function verdictOf({ prompts, promised }: Parity): ParityVerdict {
  if (!prompts.every(({ samePrompt }) => samePrompt)) return 'different';
  if (prompts.every(({ tokens, agreeing }) => tokens === agreeing)) return 'same';
  if (!promised) return 'rounded';
  return prompts.every(({ margin }) => margin <= nearTie) ? 'near_tie' : 'different';
}
