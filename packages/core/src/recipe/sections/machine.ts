import * as z from 'zod';
import { deviceNamePattern } from '../../deviceName.ts';
import { optional } from '../key.ts';

/** Where the run happens, with which numbers, and where its files go. */
export const machine = {
  device: optional(
    z.string().regex(deviceNamePattern, '`auto`, `cpu`, `cuda`, or `cuda:1` for the second GPU'),
    'auto',
    'Where to train: `cpu`, `cuda` for the first GPU, `cuda:1` for the second. `auto` takes the first GPU, or the CPU where there is none.',
  ),
  threads: optional(
    z.int().min(1).max(1024),
    null,
    'CPU threads; null takes one for each core. The result does not depend on it.',
  ),
  bf16: optional(
    z.union([z.boolean(), z.literal('auto')]),
    'auto',
    'Hold frozen weights and activations in bfloat16 (trained weights stay float32). `auto` does so where the device is faster that way.',
  ),
  activations: optional(
    z.enum(['auto', 'keep', 'recompute', 'offload']),
    'auto',
    'Intermediate results needed by the backward pass: `keep` computes only elementwise results again, `recompute` everything from what enters each layer, about a third more arithmetic, and on a GPU reads a frozen embedding that is not also the head from the memory of the host. `offload` (GPU only) does the same, but copies to the host and back, beside the arithmetic, what enters each layer and what would take longest to compute again: it takes the least memory of the GPU. `auto` takes the fastest plan that fits, result by result.',
  ),
  seed: optional(
    z.int().min(0).max(4_294_967_295),
    3407,
    'Decides every random choice. The same seed gives the same bits with the same build of Anneal on the same kind of processor or GPU.',
  ),
  output_dir: optional(
    z.string().min(1),
    'runs',
    'Folder in which the run gets a folder of its own. A relative path starts at the recipe.',
  ),
  resume_from_checkpoint: optional(
    z.string().min(1),
    null,
    'Continue from this checkpoint folder: weights, optimizer, random numbers and position in the data.',
  ),
};
