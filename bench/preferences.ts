/**
 * Preference training of a published model, a run for each seed: how the held-out answers come out afterwards, and what a step took.
 * `node bench/preferences.ts dpo.json OUT.json [--rl kto] [--seeds 3] [--steps 20] [--model M.gguf]`
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import type { Recipe } from '@anneal/core/recipe/schema';
import { createJob } from '@anneal/core/trainer/job';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { openSession } from '@anneal/core/trainer/session';
import { train } from '@anneal/core/trainer/train';
import { readArguments } from './arguments.ts';

const { names, values } = readArguments({
  command: 'node bench/preferences.ts',
  about: 'Trains on the pairs in ROWS and writes to OUT how many held-out pairs come right.',
  names: ['ROWS', 'OUT'],
  options: { rl: 'dpo', seeds: 3, steps: 20, model: 'smollm2-135m-gguf' },
});
const [rows, out] = names as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'anneal-preferences-'));

const recipe: Recipe = {
  base_model: existsSync(values.model) ? resolve(values.model) : values.model,
  rl: values.rl as NonNullable<Recipe['rl']>,
  datasets: [{ path: resolve(rows) }],
  sequence_len: 160,
  excess_length_strategy: 'truncate',
  micro_batch_size: values.rl === 'kto' ? 8 : 4,
  gradient_accumulation_steps: 1,
  learning_rate: 2e-4,
  lora_r: 8,
  lora_alpha: 16,
  warmup_steps: 2,
  max_steps: values.steps,
  val_set_size: 32,
  saves_per_epoch: 0,
  evals_per_epoch: 0,
  output_dir: folder,
};

async function trained(changes: Partial<Recipe>): Promise<{ events: readonly RunEvent[]; memory: number }> {
  const resolved = resolveRecipe({ ...recipe, ...changes }, { baseDirectory: folder });
  const text = JSON.stringify(resolved);
  await using run = await RunDirectory.create({ root: folder, name: 'bench', recipeText: text, resolvedText: text });
  const session = await openSession(createJob(resolved), { dataFolder: join(folder, 'plan') });
  const memory = session.plan.memory.total;
  await session.close();
  await train(createJob(resolved), run, { stopRequested: false, saveRequested: false });
  return { events: run.events, memory };
}

/** Milliseconds for each token that the model reads, in the middle of the steps. */
function cost(events: readonly RunEvent[]): number {
  const each = events.flatMap((event) => (event.type === 'step' ? [event.milliseconds / event.tokens] : []));
  return each.toSorted((a, b) => a - b)[each.length >> 1] as number;
}

try {
  const runs = [];
  for (let seed = 1; seed <= values.seeds; seed++) {
    const { events, memory } = await trained({ seed });
    const evaluated = events.findLast((event) => event.type === 'evaluated');
    const steps = events.filter((event) => event.type === 'step');
    runs.push({ seed, memory, millisecondsPerToken: cost(events), first: steps[0], last: steps.at(-1), evaluated });
    console.log(JSON.stringify(runs.at(-1)));
    writeFileSync(
      out,
      `${JSON.stringify({ recipe: { ...recipe, base_model: basename(values.model), output_dir: undefined, datasets: undefined }, runs }, null, 2)}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
