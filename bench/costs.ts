/**
 * What methods cost beside plain LoRA, on rows of pairs: a step of DPO, and of DoRA, for the same tokens; and answers sampled to learn from
 * beside the bare calls of their decode program. Each in turn, several rounds. It wants an idle machine.
 * `node bench/costs.ts dpo.json OUT.json [--device cpu] [--rounds 3] [--steps 8] [--dtype f32] [--model M.gguf]`
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { generateTogether } from '@anneal/core/generate/generateTogether';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import type { Recipe } from '@anneal/core/recipe/schema';
import { createJob } from '@anneal/core/trainer/job';
import { rolloutProgram } from '@anneal/core/trainer/planTraining';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { openSession } from '@anneal/core/trainer/session';
import { startEngine } from '@anneal/core/trainer/startEngine';
import { train } from '@anneal/core/trainer/train';
import { readArguments } from './arguments.ts';

const { names, values } = readArguments({
  command: 'node bench/costs.ts',
  about: 'Measures what DPO, DoRA and rollouts cost with the pairs in ROWS, and writes it to OUT.',
  names: ['ROWS', 'OUT'],
  options: { device: 'cpu', rounds: 3, steps: 8, dtype: 'f32', model: 'smollm2-135m-gguf' },
});
const [rows, out] = names as [string, string];
const folder = mkdtempSync(join(tmpdir(), 'anneal-costs-'));

interface Pair {
  readonly conversations: readonly { readonly value: string }[];
  readonly chosen: { readonly value: string };
  readonly rejected: { readonly value: string };
}

/** Both answers of each pair as rows of their own: the same tokens. */
const answers = join(folder, 'answers.jsonl');
const pairs = JSON.parse(readFileSync(rows, 'utf8')) as readonly Pair[];
writeFileSync(
  answers,
  pairs
    .flatMap(({ conversations, chosen, rejected }) =>
      [chosen, rejected].map(({ value }) =>
        JSON.stringify({ prompt: conversations.map((message) => message.value).join('\n'), completion: value }),
      ),
    )
    .join('\n'),
);

const common: Recipe = {
  device: values.device,
  base_model: existsSync(values.model) ? resolve(values.model) : values.model,
  datasets: [{ path: answers }],
  bf16: values.dtype === 'bf16',
  sequence_len: 160,
  excess_length_strategy: 'truncate',
  micro_batch_size: 8,
  gradient_accumulation_steps: 1,
  lora_r: 16,
  lora_alpha: 16,
  max_steps: values.steps,
  saves_per_epoch: 0,
  evals_per_epoch: 0,
  output_dir: folder,
};

const kinds: Readonly<Record<string, Partial<Recipe>>> = {
  sft: {},
  dpo: { rl: 'dpo', datasets: [{ path: resolve(rows) }], micro_batch_size: 4 },
  dora: { peft_use_dora: true },
};

/** Milliseconds for each token of each step but the first. */
async function stepsOf(changes: Partial<Recipe>): Promise<number[]> {
  const resolved = resolveRecipe({ ...common, ...changes }, { baseDirectory: folder });
  const text = JSON.stringify(resolved);
  await using run = await RunDirectory.create({ root: folder, name: 'bench', recipeText: text, resolvedText: text });
  await train(createJob(resolved), run, { stopRequested: false, saveRequested: false });
  const steps = run.events.flatMap((event) => (event.type === 'step' ? [event.milliseconds / event.tokens] : []));
  return steps.slice(1);
}

const sampled = 64;
const rolloutRecipe: Partial<Recipe> = {
  rl: 'grpo',
  trl: { reward_funcs: [{ type: 'length', target: sampled }], num_generations: 8, max_completion_length: sampled },
  micro_batch_size: 8,
};

/** Tokens a second of eight answers to one prompt, and of the calls of eight sequences alone. */
async function rollouts(): Promise<{ sampling: number[]; decoding: number[] }> {
  const resolved = resolveRecipe({ ...common, ...rolloutRecipe }, { baseDirectory: folder });
  const session = await openSession(createJob(resolved), { dataFolder: join(folder, 'rollouts') });
  const { engine } = await startEngine(session, null);
  const prompt = Int32Array.from({ length: 48 }, (_, i) => 100 + i);
  const [sampling, decoding]: [number[], number[]] = [[], []];
  for (let round = 0; round <= values.rounds; round++) {
    const began = performance.now();
    await generateTogether(engine, [prompt], {
      program: rolloutProgram,
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
      answers: 8,
      maxNewTokens: sampled,
      stopIds: new Set(),
      seedsOf: (_, answer) => [round, answer],
    });
    const between = performance.now();
    for (let at = 0; at < sampled; at++) {
      const sequences = Array.from({ length: 8 }, (_, a) => [a, 0, 48, 48 + a * sampled]).flat();
      const inputs = {
        tokens: new Int32Array(8).fill(100 + at),
        positions: new Int32Array(8).fill(48 + at),
        sequences: Int32Array.from(sequences),
        rows: Int32Array.from({ length: 8 }, (_, a) => a),
        // A program that can choose tokens does: one, the likeliest.
        choices: new Int32Array(1),
        draws: new Float64Array(1),
        sampling: Float64Array.of(0, 0, 1, 0),
      };
      await engine.run([{ program: rolloutProgram, extents: { T: 8, N: 8, C: 1 }, inputs, results: ['logits'] }]);
    }
    if (round === 0) continue; // warm-up
    sampling.push((8 * sampled * 1000) / (between - began));
    decoding.push((8 * sampled * 1000) / (performance.now() - between));
  }
  await engine.dispose();
  await session.close();
  return { sampling, decoding };
}

const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] as number;

try {
  const measured: Record<string, number[]> = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < values.rounds; round++) {
    for (const [kind, changes] of Object.entries(kinds)) measured[kind]?.push(...(await stepsOf(changes)));
  }
  const { sampling, decoding } = await rollouts();
  const millisecondsPerToken = Object.fromEntries(Object.entries(measured).map(([kind, all]) => [kind, median(all)]));
  const { sft = Number.NaN, dpo = Number.NaN, dora = Number.NaN } = millisecondsPerToken;
  const result = {
    processor: cpus()[0]?.model,
    device: values.device,
    model: basename(values.model),
    dtype: values.dtype,
    millisecondsPerToken,
    dpoBesideSft: dpo / sft,
    doraBesideLora: dora / sft,
    rolloutTokensPerSecond: median(sampling),
    decodeTokensPerSecond: median(decoding),
    rolloutsBesideDecoding: median(sampling) / median(decoding),
  };
  writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(result, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
