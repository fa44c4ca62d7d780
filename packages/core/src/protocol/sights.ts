/** What a diagnosis has seen in a run, and what it could not look at: values with their words, so that others can say it, too. Browser-safe. */
import { z } from 'zod';

/** Numbers are rounded and shares are percents where they are texts. */
const value = z.union([z.string(), z.number()]);
const values = z.record(z.string(), value);

/** In English. Another language has the same names, with the same values. */
export const sightTexts = {
  not_finite: ({ step }: { step: number }) => `step ${step}: the loss or the norm of its gradient is not finite`,
  loss_rose: ({ lowest, last }: { lowest: string; last: string }) =>
    `the loss had fallen to ${lowest}, and ended at ${last}`,
  rate_and_clipping: ({ rate, norm }: { rate: number; norm: number }) =>
    `the learning rate was ${rate}, gradients were ${norm === 0 ? 'not clipped' : `clipped to a norm of ${norm}`}`,
  mean_loss: ({ first, last, steps }: { first: string; last: string; steps: number }) =>
    `mean loss ${first} over the first steps, ${last} over the last ones (${steps} steps)`,
  rate: ({ rate }: { rate: number }) => `the learning rate was ${rate}`,
  unusual_rate: ({ rate, usual, adapter }: { rate: number; usual: number; adapter: string }) =>
    `the learning rate was ${rate}; ${usual} is usual for ${adapter === '' ? 'full training' : 'LoRA'} of this kind`,
  steps_in_all: ({ steps, passes, batch }: { steps: number; passes: string; batch: number }) =>
    `steps in all: ${steps} (passes over the data: ${passes}, rows a step: ${batch})`,
  mean_reward: ({ first, last, steps }: { first: string; last: string; steps: number }) =>
    `mean reward ${first} over the first steps, ${last} over the last ones (${steps} steps)`,
  equal_rewards: ({ share }: { share: string }) =>
    `all answers to a prompt got the same reward for ${share} of the prompts: nothing is learned from these`,
  held_out_loss: ({ step, lowest, last }: { step: number; lowest: string; last: string }) =>
    `the loss of held-out rows was lowest at step ${step}, ${lowest}, and ended at ${last}`,
  passes: ({ best, all }: { best: string; all: string }) => `that was after ${best} of ${all} passes over the data`,
  known_loss: ({ first, last, passes }: { first: string; last: string; passes: string }) =>
    `mean loss ${first} at the beginning, ${last} at the end, after ${passes} passes over the data`,
  held_out_rows_trained: ({ rows, exact, near }: { rows: number; exact: number; near: number }) =>
    `of ${rows} held-out rows ${exact} are trained as they are, and ${near} nearly so`,
  equal_rows: ({ equal, rows, share }: { equal: number; rows: number; share: string }) =>
    `${equal} of ${rows} rows (${share}) are equal to an earlier one`,
  near_rows: ({ pairs, compared }: { pairs: number; compared: number }) =>
    `${pairs} pairs among ${compared} rows differ in a few words only`,
  dropped: ({ dropped, rows, reasons, kept }: { dropped: number; rows: number; reasons: string; kept: number }) =>
    `${dropped} of ${rows} rows were dropped: ${reasons}; ${kept} were kept`,
  cut: ({ cut, rows, share, length, longest }: Cut) =>
    `${cut} of ${rows} rows (${share}) are longer than sequence_len ${length}; the longest has ${longest} tokens`,
  targets: ({ targets, tokens, share, perRow }: { targets: number; tokens: number; share: string; perRow: string }) =>
    `${targets} of ${tokens} tokens (${share}) count in the loss: ${perRow} a row`,
  without_end: ({ rows, of }: { rows: number; of: number }) =>
    `${rows} of ${of} trained rows do not end with a trained end token`,
  template: ({ template }: { template: string }) => `chat_template is ${template}; the model has one of its own`,
  cut_answers: ({ share, length }: { share: string; length: number }) =>
    `${share} of the answers of the last steps were cut at max_completion_length ${length}`,
  loops: ({ loops, samples, step }: { loops: number; samples: number; step: number }) =>
    `${loops} of ${samples} sample answers of step ${step} do`,
  loop: ({ prompt, unit }: { prompt: string; unit: string }) => `"${prompt}" is answered with "${unit}" over and over`,
};

interface Cut {
  cut: number;
  rows: number;
  share: string;
  length: number;
  longest: number;
}

export type SightTexts = typeof sightTexts;
export type SightCode = keyof SightTexts;

export const sightSchema = z.object({ code: z.string(), values, text: z.string() });
/** `text` is what `sightTexts` makes of the others. */
export type Sight = z.infer<typeof sightSchema>;

export function sight<Code extends SightCode>(code: Code, seen: Parameters<SightTexts[Code]>[0]): Sight {
  const say = sightTexts[code] as (seen: unknown) => string;
  return { code, values: { ...seen }, text: say(seen) };
}

/** What was not looked at. */
export const unseenCodes = ['ending', 'curve', 'other_rows', 'answers', 'rows', 'texts'] as const;
export type UnseenCode = (typeof unseenCodes)[number];

/** `problem` tells why where that is a problem of its own. */
export const unseenSchema = z.object({
  code: z.enum(unseenCodes),
  what: z.string(),
  why: z.string(),
  values,
  problem: z.object({ code: z.string(), what: z.string() }).optional(),
});
export type Unseen = z.infer<typeof unseenSchema>;
