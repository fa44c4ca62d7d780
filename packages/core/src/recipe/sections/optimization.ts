import * as z from 'zod';
import { derived, optional } from '../key.ts';
import { optimizerNames } from './optimizers.ts';
import { scheduleArgumentsSchema, scheduleNames } from './schedule.ts';

/** How the weights follow the gradient. */
export const optimization = {
  learning_rate: derived(
    z.number().positive().max(10),
    '2e-4 with an adapter, 2e-5 with `adapter: null`; a tenth of that with `rl`, but for `rl: reward`',
    'Peak learning rate. An adapter takes 1e-4 to 3e-4, full fine-tuning about a tenth of that.',
  ),
  embedding_lr: optional(
    z.number().positive().max(10),
    null,
    'Learning rate of embedding and output layer where they are trained (`adapter: null`, `lora_modules_to_save`, `peft_trainable_token_indices`), with the same schedule: a tenth to a half of `learning_rate` keeps them from running away in continued training. null: theirs is `learning_rate`, too.',
  ),
  lr_scheduler: derived(
    z.enum(scheduleNames),
    '`cosine`; `constant_with_warmup` with `optimizer: schedule_free_adamw`',
    'How the learning rate goes after the warm-up, by the names of transformers: `cosine` down to 0 along half a period, `linear` down in a line, `constant` level and without a warm-up, `constant_with_warmup` level, `cosine_with_min_lr` down to a floor, `cosine_warmup_with_min_lr` so, with a warm-up that begins above 0, `cosine_with_restarts` down several times, `polynomial` down along a power, `inverse_sqrt` by the square root of the steps, `warmup_stable_decay` (WSD) level and then down in the last steps. `cosine_with_warmup` and `linear_with_warmup` are other names of `cosine` and `linear`.',
  ),
  lr_scheduler_kwargs: derived(
    scheduleArgumentsSchema,
    "transformers' for the schedule",
    'What the schedule needs to know besides: see below.',
  ),
  warmup_ratio: derived(
    z.number().min(0).max(1),
    '0.03 unless `warmup_steps` is written',
    'Share of all steps in which the learning rate rises from 0 to its peak, rounded up to whole steps.',
  ),
  warmup_steps: derived(
    z.int().min(0).max(1_000_000_000),
    'null: see `warmup_ratio`',
    'Number of steps in which the learning rate rises from 0 to its peak.',
  ),
  cosine_min_lr_ratio: derived(z.number().min(0).max(1), '0', 'Where `cosine` ends, as a share of `learning_rate`.'),
  optimizer: optional(
    z.enum(optimizerNames),
    'adamw_torch',
    "`adamw_torch` keeps two float32 numbers per trained weight, `adamw_8bit` two bytes. `lion` keeps one float32 number and moves every weight by the learning rate alike: take a third to a tenth of AdamW's, and as much more weight_decay. `adafactor` keeps of a matrix one number for each row and each column (transformers', with `learning_rate` as it is). `muon` moves matrices along what is orthogonal in a running mean of their gradients, which is all it keeps of them, and the rest by AdamW (torch.optim.Muon): take ten to a hundred times AdamW's learning rate with full fine-tuning. `schedule_free_adamw` needs no decay of the learning rate: it keeps three float32 numbers and averages its weights, and these averages are what is evaluated, sampled, saved and exported. `adamw_torch_fused`, `adamw_bnb_8bit`, `lion_32bit` and `lion_pytorch` are other names of these.",
  ),
  adam_beta1: derived(
    z.number().min(0).lt(1),
    '0.9',
    'Decay of the running mean of the gradient; of `lion` how much of it is in the direction of a step, of `schedule_free_adamw` how much of the average is in the weights that gradients are taken at.',
  ),
  adam_beta2: derived(
    z.number().min(0).lt(1),
    '0.999; 0.99 with `lion`',
    'Decay of the running mean of the squared gradient; of `lion` that of the running mean of the gradient.',
  ),
  adam_epsilon: derived(
    z.number().positive().max(1),
    '1e-8',
    'Added to the denominator of the update. `lion` and `adafactor` have none.',
  ),
  weight_decay: optional(
    z.number().min(0).max(10),
    0.01,
    'Pull of the trained weights towards zero: each step multiplies them by 1 − learning rate × weight_decay.',
  ),
  ema_decay: optional(
    z.number().min(0).lt(1),
    0,
    'Average the trained weights over the last 1 / (1 − ema_decay) steps or so (exponential moving average), and evaluate, sample, save and export these averages: often better and steadier than the weights of the last step. 0.99 to 0.999 for a run of thousands of steps, less for a short one; in the first steps less counts. Takes a float32 number per trained weight. 0 averages nothing.',
  ),
  neftune_noise_alpha: optional(
    z.number().min(0).max(1000),
    0,
    'NEFTune: noise on the embeddings while training, uniform within ±alpha / √(tokens of the row × hidden size). 5 to 15 often makes answers of chat models longer and better; 0 adds none.',
  ),
  router_aux_loss_coef: optional(
    z.number().min(0).max(1000),
    null,
    'Of models with experts: weight of the balance loss, which keeps routers from sending all tokens to a few of them. transformers takes 0.001 for most. null does what config.json says: with `output_router_logits` its coefficient, else nothing. It flows through routers that are not trained, too.',
  ),
  max_grad_norm: optional(
    z.number().min(0).max(1_000_000),
    1,
    'Gradients with a larger norm are scaled down to it. 0 turns clipping off.',
  ),
};
