import * as z from 'zod';
import { derived, optional } from '../key.ts';

/** What a run with each `rl` takes where nothing is written. */
export const preferenceDefaults = {
  dpo: { rl_beta: 0.1, dpo_loss_type: 'sigmoid', dpo_label_smoothing: 0, dpo_reference_free: false, rpo_alpha: 0 },
  ipo: { rl_beta: 0.1, dpo_reference_free: false, rpo_alpha: 0 },
  orpo: { orpo_alpha: 0.1 },
  simpo: { rl_beta: 2, simpo_gamma: 1, cpo_alpha: 0 },
  cpo: { rl_beta: 0.1, dpo_loss_type: 'sigmoid', dpo_label_smoothing: 0, cpo_alpha: 1 },
  kto: { rl_beta: 0.1, kto_loss_type: 'kto', kto_desirable_weight: 1, kto_undesirable_weight: 1 },
  reward: { center_rewards_coefficient: 0 },
  /** Its keys are those of `trl`. */
  grpo: {},
} as const;

/** Learning from which of two answers is better. */
export const preference = {
  rl: optional(
    z.enum(['dpo', 'ipo', 'orpo', 'simpo', 'cpo', 'kto', 'reward', 'grpo']),
    null,
    'Learn from preferences instead of imitating every answer. `dpo`, `ipo`, `orpo`, `simpo` and `cpo` take pairs, a chosen and a rejected answer to one prompt; `kto` takes answers with a label, good or bad. `dpo`, `ipo` and `kto` compare with the model before training, which is the base with the adapter off: they need an adapter. `reward` takes pairs, too, and trains a reward model: a head that gives an answer one number, its score. `grpo` takes prompts, samples answers and learns from what `trl.reward_funcs` say of them. null is supervised fine-tuning.',
  ),
  rl_beta: derived(
    z.number().positive().max(1000),
    '0.1; 2 with `rl: simpo`; no meaning with `rl: orpo`',
    'How much a difference of log-probabilities counts. Higher keeps the model nearer to the one before training.',
  ),
  dpo_loss_type: derived(
    z.enum(['sigmoid', 'hinge', 'robust']),
    '`sigmoid` with `rl: dpo` and `rl: cpo`',
    'Loss of the margin between both answers: `sigmoid`, `hinge`, or, with `rl: dpo`, `robust`, which makes up for a known share of wrong labels, `dpo_label_smoothing`.',
  ),
  dpo_label_smoothing: derived(
    z.number().min(0).lt(0.5),
    '0 with `rl: dpo` and `rl: cpo`',
    'Share of the pairs whose answers may be the wrong way round.',
  ),
  dpo_reference_free: derived(
    z.boolean(),
    'false with `rl: dpo` and `rl: ipo`',
    'Compare with nothing instead of the model before training.',
  ),
  rpo_alpha: derived(
    z.number().min(0).max(1000),
    '0 with `rl: dpo` and `rl: ipo`',
    'Weight of imitating the chosen answer beside the preference: keeps it from becoming less likely.',
  ),
  orpo_alpha: derived(
    z.number().positive().max(1000),
    '0.1 with `rl: orpo`',
    'Weight of the odds ratio beside imitating the chosen answer.',
  ),
  simpo_gamma: derived(
    z.number().min(0).max(1000),
    '1 with `rl: simpo`',
    'Margin that the chosen answer is to have over the rejected one.',
  ),
  cpo_alpha: derived(
    z.number().min(0).max(1000),
    '1 with `rl: cpo`, 0 with `rl: simpo`',
    'Weight of imitating the chosen answer beside the preference.',
  ),
  kto_loss_type: derived(
    z.enum(['kto', 'apo_zero_unpaired']),
    '`kto` with `rl: kto`',
    'What rewards are measured from: `kto` estimates how far the model has gone from the one before training, from each prompt of a step with the answer of another row; `apo_zero_unpaired` takes 0 and spares that.',
  ),
  kto_desirable_weight: derived(z.number().min(0).max(1000), '1 with `rl: kto`', 'Weight of good answers.'),
  kto_undesirable_weight: derived(
    z.number().min(0).max(1000),
    '1 with `rl: kto`',
    'Weight of bad answers. With many more of one kind give the other more weight: weight × number should differ by no more than a third.',
  ),
  center_rewards_coefficient: derived(
    z.number().min(0).max(1000),
    '0 with `rl: reward`',
    'Weight of the square of what the scores of a pair have together, which keeps scores around 0. 0.01 is usual.',
  ),
};
