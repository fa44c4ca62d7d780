/**
 * GRPO of the starter model on questions that it understands only half: sums, followed by words that its training did not have. A run for each
 * seed: how often its answers are right, and on prompts that were held out. `node bench/grpo.ts OUT.json [--seeds 3] [--steps 140]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import type { Recipe } from '@anneal/core/recipe/schema';
import { createJob } from '@anneal/core/trainer/job';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { train } from '@anneal/core/trainer/train';
import { readArguments } from './arguments.ts';

const { names, values } = readArguments({
  command: 'node bench/grpo.ts',
  about: 'Trains the starter model on sums by rewards and writes to OUT how many answers come right.',
  names: ['OUT'],
  options: { seeds: 3, steps: 140 },
});
const [out] = names as [string];
const folder = mkdtempSync(join(tmpdir(), 'anneal-grpo-'));
const rows = join(folder, 'sums.jsonl');
const numbers = Array.from({ length: 11 }, (_, i) => i);
const sums = numbers.flatMap((x) =>
  numbers.map((y) => ({ prompt: `What is ${x} plus ${y}? Only the number.`, answer: x + y })),
);
writeFileSync(rows, sums.map((row) => `${JSON.stringify(row)}\n`).join(''));

const recipe: Recipe = {
  base_model: resolve(import.meta.dirname, '../apps/agent/starter/model'),
  rl: 'grpo',
  trl: { reward_funcs: [{ type: 'numeric', field: 'answer' }], num_generations: 8, max_completion_length: 32 },
  datasets: [{ path: rows }],
  val_set_size: 24,
  sequence_len: 128,
  micro_batch_size: 32,
  gradient_accumulation_steps: 2,
  learning_rate: 1e-3,
  lr_scheduler: 'constant',
  max_steps: values.steps,
  saves_per_epoch: 0,
  evals_per_epoch: 0,
  output_dir: folder,
};

async function trained(seed: number): Promise<readonly RunEvent[]> {
  const resolved = resolveRecipe({ ...recipe, seed }, { baseDirectory: folder });
  const text = JSON.stringify(resolved);
  await using run = await RunDirectory.create({ root: folder, name: 'bench', recipeText: text, resolvedText: text });
  await train(createJob(resolved), run, { stopRequested: false, saveRequested: false });
  return run.events;
}

const meanReward = (steps: readonly { reward?: number | undefined }[]): number =>
  steps.reduce((sum, { reward = 0 }) => sum + reward, 0) / steps.length;

try {
  const runs = [];
  for (let seed = 1; seed <= values.seeds; seed++) {
    const events = await trained(seed);
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
    const evaluated = events.findLast((event) => event.type === 'evaluated');
    const [first, last] = [meanReward(steps.slice(0, 5)), meanReward(steps.slice(-10))];
    const rewards = steps.map(({ reward }) => reward);
    runs.push({ seed, firstFiveSteps: first, lastTenSteps: last, heldOut: evaluated, rewards });
    console.log(`seed ${seed}: ${first.toFixed(3)} → ${last.toFixed(3)}, held out ${evaluated?.reward?.toFixed(3)}`);
    const written = { ...recipe, output_dir: undefined, datasets: undefined, base_model: 'starter' };
    writeFileSync(out, `${JSON.stringify({ recipe: written, runs }, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
