import * as z from 'zod';
import { derived, optional } from '../key.ts';

/** How rows become batches and batches become optimizer steps. */
export const batches = {
  sequence_len: optional(
    z.int().min(8).max(16_777_216),
    2048,
    'Most tokens of one row, or of the rows that are packed together. Memory for activations grows with it.',
  ),
  excess_length_strategy: optional(
    z.enum(['raise', 'drop', 'truncate']),
    'raise',
    'What happens to a row longer than `sequence_len`: `raise` refuses to start, `drop` leaves it out, `truncate` cuts its end. Dropped and cut rows are listed in data/dropped.jsonl. A plain text (`type: completion`) is cut into several documents instead, so none of it is lost.',
  ),
  sample_packing: optional(
    z.boolean(),
    false,
    'Pack several rows together, up to `sequence_len` tokens. They do not see each other. Fewer, fuller steps.',
  ),
  micro_batch_size: optional(
    z.int().min(1).max(65_536),
    2,
    'Rows that are computed at once; with `sample_packing` packs of rows.',
  ),
  gradient_accumulation_steps: optional(
    z.int().min(1).max(65_536),
    4,
    'Micro-batches in one optimizer step. The effective batch size is micro_batch_size × gradient_accumulation_steps.',
  ),
  num_epochs: derived(
    z.number().positive().max(100_000),
    '1 unless `max_steps` is written',
    'Passes through the training rows. 1 to 3 is usual; more tends to memorize.',
  ),
  max_steps: optional(
    z.int().min(1).max(1_000_000_000),
    null,
    'Train exactly this many optimizer steps, passing through the rows as often as that takes. Goes before `num_epochs`.',
  ),
};
