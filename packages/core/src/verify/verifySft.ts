import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import { cpuDevice, type Device, type Engine } from '@anneal/kernels';
import { z } from 'zod';
import { idOfWord, isTargetWord } from '../datasets/tokenStore.ts';
import { baseProgram, openDecodeEngine } from '../generate/decodeEngine.ts';
import { contextLengthOf, generate } from '../generate/generate.ts';
import { encodePrompt } from '../generate/modelText.ts';
import { greedy } from '../generate/sample.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import type { Recipe } from '../recipe/schema.ts';
import { createJob } from '../trainer/job.ts';
import { sampleProgram } from '../trainer/planTraining.ts';
import { openSession, type Session } from '../trainer/session.ts';
import { startEngine } from '../trainer/startEngine.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { mismatches, type Quantity, quantity, relativeDifference } from './quantity.ts';
import { IDS, NUMBERS, readReference } from './readReference.ts';

/** A real fine-tuning run to be repeated: rows.jsonl, adapter/ and this golden.json. */
interface GoldenSft {
  readonly recipe: Partial<Recipe>;
  readonly loss: readonly number[];
  readonly grad_norm: readonly number[];
  readonly learning_rate: readonly number[];
  readonly target_tokens: readonly number[];
  /** Of the first rows. */
  readonly tokens: readonly { readonly ids: readonly number[]; readonly labels: readonly number[] }[];
  readonly generations: readonly {
    readonly prompt: string;
    readonly model: 'base' | 'tuned';
    readonly prompt_ids: readonly number[];
    readonly ids: readonly number[];
  }[];
}

const form = z.looseObject({
  recipe: z.looseObject({}),
  loss: NUMBERS,
  grad_norm: NUMBERS,
  learning_rate: NUMBERS,
  target_tokens: NUMBERS,
  tokens: z.array(z.looseObject({ ids: IDS, labels: IDS })),
  generations: z.array(
    z.looseObject({ prompt: z.string(), model: z.enum(['base', 'tuned']), prompt_ids: IDS, ids: IDS }),
  ),
});

const tolerance = { loss: 1e-4, gradientNorm: 1e-3 };
const MAX_NEW_TOKENS = 32;

/** Repeats the run through the trainer's own path, from the rows to the tuned model's answers, in float32. */
export async function verifySft(path: string, modelPath: string, device: Device = cpuDevice()): Promise<Quantity[]> {
  const golden = readReference<GoldenSft>(join(path, 'golden.json'), form);
  const recipe: Recipe = {
    ...golden.recipe,
    base_model: modelPath,
    lora_model_dir: join(path, 'adapter'),
    datasets: [{ path: join(path, 'rows.jsonl') }],
    bf16: false,
    // Makes the plan hold a cache, by which the answers below are made.
    sample_prompts: golden.generations.map(({ prompt }) => prompt),
    sample_max_tokens: MAX_NEW_TOKENS,
  };
  const dataFolder = makeTemporaryFolder('verify');
  const session = await openSession(
    { ...createJob(resolveRecipe(recipe, { baseDirectory: path })), device },
    { dataFolder },
  );
  try {
    return [
      ...verifyTokens(golden, session),
      ...(await verifySteps(golden, session)),
      ...(await verifyBase(golden, session)),
    ];
  } finally {
    await session.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

function verifyTokens(golden: GoldenSft, { data }: Session): Quantity[] {
  return golden.tokens.flatMap(({ ids, labels }, row) => {
    const words = data.train.words(row);
    const ours = Array.from(words, (word) => (isTargetWord(word) ? idOfWord(word) : -100));
    return [
      mismatches(`tokens.${row}.ids`, Array.from(words, idOfWord), ids),
      mismatches(`tokens.${row}.labels`, ours, labels),
    ];
  });
}

async function verifySteps(golden: GoldenSft, session: Session): Promise<Quantity[]> {
  const { job, loader, totalSteps } = session;
  await using training = new TrainingEngine(
    (await startEngine(session, null)).engine,
    session.objective,
    session.balanceLoss,
  );
  const rateOf = job.scheduleFor(totalSteps);
  const losses: number[] = [];
  const norms: number[] = [];
  const counts: number[] = [];
  for (let step = 0; step < totalSteps; step++) {
    const batches = await loader.next();
    const result = await training.step(batches, { step: step + 1, learningRate: rateOf(step), seed: job.seed });
    losses.push(result.loss);
    norms.push(result.gradientNorm);
    counts.push(batches.targetTokens);
  }
  const answers = await verifyAnswers(golden, session, training.engine, 'tuned', sampleProgram);
  return [
    mismatches('target_tokens', counts, golden.target_tokens),
    quantity(
      'steps',
      'mismatches',
      Math.abs(losses.length - golden.loss.length) + Math.abs(norms.length - golden.grad_norm.length),
      0,
    ),
    relativeDifference(
      'learning_rate',
      golden.learning_rate.map((_, i) => rateOf(i)),
      golden.learning_rate,
      1e-12,
    ),
    ...losses.map((loss, i) =>
      relativeDifference(`step.${i + 1}.loss`, [loss], golden.loss.slice(i, i + 1), tolerance.loss),
    ),
    ...norms.map((norm, i) =>
      relativeDifference(`step.${i + 1}.grad_norm`, [norm], golden.grad_norm.slice(i, i + 1), tolerance.gradientNorm),
    ),
    ...answers,
  ];
}

/** The answers of the model without its adapter. */
async function verifyBase(golden: GoldenSft, session: Session): Promise<Quantity[]> {
  const { model, job, plan } = session;
  const contextLength = contextLengthOf({ plan }, sampleProgram);
  const options = { device: job.device, weightType: 'f32', contextLength, promptChunk: 64 } as const;
  const engine = await openDecodeEngine(model, options);
  const quantities = await verifyAnswers(golden, session, engine, 'base', baseProgram);
  await engine.dispose();
  return quantities;
}

async function verifyAnswers(
  golden: GoldenSft,
  { text }: Session,
  engine: Engine,
  model: 'base' | 'tuned',
  program: string,
): Promise<Quantity[]> {
  const quantities: Quantity[] = [];
  for (const reference of golden.generations.filter((g) => g.model === model)) {
    const prompt = await encodePrompt(text, [{ role: 'user', content: reference.prompt }]);
    const ids: number[] = [];
    const options = { program, sampling: greedy, maxNewTokens: MAX_NEW_TOKENS, stopIds: text.stopIds, seed: 0 };
    for await (const { id } of generate(engine, prompt, options)) ids.push(id);
    quantities.push(mismatches(`${model}.${reference.prompt}.prompt_ids`, prompt, reference.prompt_ids));
    quantities.push(mismatches(`${model}.${reference.prompt}.ids`, ids, reference.ids));
  }
  return quantities;
}
