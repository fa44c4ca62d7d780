import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import type { Engine, HostArray, Tensor } from '@anneal/kernels';
import { z } from 'zod';
import type { LoaderState } from '../datasets/loader.ts';
import { UserError } from '../errors.ts';
import { exportLora } from '../export/lora.ts';
import { writeTokenizer } from '../export/writeTokenizer.ts';
import { type LoraOptions, type LoraSpec, readLora } from '../models/adapters/lora.ts';
import { forWholeBase, type Start } from '../models/adapters/start.ts';
import { configText } from '../models/configText.ts';
import type { OpenModel } from '../models/model.ts';
import { inFileOrder, wholeTensor } from '../models/stored.ts';
import { damagedCheckpoint, verifyCheckpoint } from './checkpointSeal.ts';

const count = z.int().min(0);

/** What a run must know beside weights and moments to go on as if it had not stopped. */
const trainerStateSchema = z.object({
  /** Optimizer steps done. */
  step: count,
  epoch: z.number().min(0),
  bestLoss: z.number().nullable(),
  bestStep: count.nullable(),
  /** Evaluations since the best one. */
  evaluationsWithoutGain: count,
  /** The validation of this step was given up for a stop: going on begins with it. */
  evaluationIsDue: z.literal(true).optional(),
  /** Training milliseconds so far, over all launches. */
  milliseconds: z.number().min(0),
});
export type TrainerState = Readonly<z.infer<typeof trainerStateSchema>>;

const dataStateSchema = z.object({ epoch: count, index: count });

export interface CheckpointState {
  readonly state: TrainerState;
  readonly data: LoaderState;
}

export interface AdapterContents {
  readonly options: LoraOptions;
  readonly spec: LoraSpec;
  /** What the base in the engine lacks; the checkpoint is for the whole one. */
  readonly start: Start | null;
}

export interface CheckpointContents {
  readonly engine: Engine;
  readonly model: OpenModel;
  /** null: full fine-tuning, the checkpoint is a whole model. */
  readonly lora: AdapterContents | null;
  readonly baseModel: string;
  readonly revision: string | null;
}

/**
 * adapter_model.safetensors and adapter_config.json as PEFT names them (or model.safetensors with its config), optimizer.safetensors,
 * trainer_state.json, rng.json, data_state.json. Everything as the engine holds it: weights in float32, moments in float32 or 8 bits.
 */
export async function writeCheckpoint(
  folder: string,
  contents: CheckpointContents,
  state: TrainerState,
  seed: number,
  data: LoaderState,
): Promise<void> {
  const { engine, model, lora } = contents;
  if (lora) await writeAdapter(folder, contents, lora);
  else await writeModel(folder, engine, model);
  await writeMoments(join(folder, 'optimizer.safetensors'), engine);
  await writeJson(join(folder, 'trainer_state.json'), state);
  // Every random choice follows from the seed and a position, so there is no generator state beside them.
  await writeJson(join(folder, 'rng.json'), { seed });
  await writeJson(join(folder, 'data_state.json'), data);
}

/** Fills the engine with the moments of a checkpoint. Throws UserError when it was made by a run of another shape. */
export async function readOptimizer(folder: string, engine: Engine): Promise<void> {
  await readMoments(join(folder, 'optimizer.safetensors'), engine);
}

/**
 * Where a checkpoint stands, every byte of it compared with what was saved.
 * @param sha256 of its COMPLETE, where the run's events have it
 * @throws UserError `not_a_checkpoint`, `checkpoint_damaged`
 */
export async function openCheckpoint(folder: string, sha256?: string): Promise<CheckpointState> {
  assertIsCheckpoint(folder);
  const seal = await verifyCheckpoint(folder, sha256);
  const state = await readJson(join(folder, 'trainer_state.json'), trainerStateSchema);
  const data = await readJson(join(folder, 'data_state.json'), dataStateSchema);
  if (state.step === seal.step) return { state, data };
  throw damagedCheckpoint(join(folder, 'trainer_state.json'), `it says step ${state.step}, COMPLETE ${seal.step}`);
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    throw damagedCheckpoint(path, 'it does not hold what a checkpoint holds there');
  }
}

/** @throws UserError where the folder holds weights alone, or nothing */
function assertIsCheckpoint(folder: string): void {
  const missing = ['optimizer.safetensors', 'trainer_state.json', 'data_state.json'].find(
    (file) => !existsSync(join(folder, file)),
  );
  if (missing === undefined) return;
  throw new UserError({
    what: `a run cannot go on from here: ${missing} is missing`,
    where: folder,
    next: 'name a checkpoint-N folder of a run; to train an adapter further without its optimizer, give it as lora_model_dir',
    code: 'not_a_checkpoint',
  });
}

async function writeAdapter(
  folder: string,
  { engine, model, baseModel, revision }: CheckpointContents,
  { options, spec, start }: AdapterContents,
): Promise<void> {
  const trained = await readLora(engine, options, spec);
  const adapter = start ? forWholeBase({ trained, start }) : trained;
  await exportLora(folder, { model, adapter, dropout: spec.dropout, baseModel, revision: revision ?? undefined });
}

async function writeModel(folder: string, engine: Engine, model: OpenModel): Promise<void> {
  const { architecture, config } = model;
  const tensors = [...model.tensors.values()].map((tensor) => {
    const stored = wholeTensor(architecture.names, config, tensor, 'huggingFace');
    const bytes = async () => inFileOrder(bytesOf(await engine.read(tensor.name)), stored);
    return { ...stored, dtype: 'F32' as const, bytes };
  });
  const { quantization_config: _, ...configJson } = model.configJson; // of the files that were read
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const text = configText({ ...configJson, dtype: 'float32', torch_dtype: 'float32' });
  await writeFile(join(folder, 'config.json'), text);
  if (model.generationConfig) await writeJson(join(folder, 'generation_config.json'), model.generationConfig);
  await writeTokenizer(folder, model);
}

async function writeMoments(path: string, engine: Engine): Promise<void> {
  const moments = [...engine.plan.variables].filter(([, { tensor }]) => tensor.kind === 'optimizer');
  const tensors = moments.map(([name, { tensor }]) => ({
    name,
    dtype: storedType(tensor),
    shape: tensor.shape as number[],
    bytes: async () => bytesOf(await engine.read(name)),
  }));
  await writeSafetensors(path, tensors);
}

async function readMoments(path: string, engine: Engine): Promise<void> {
  const source = openSafetensors(path);
  try {
    for (const [name, { tensor }] of engine.plan.variables) {
      if (tensor.kind !== 'optimizer') continue;
      const stored = source.tensors.get(name);
      const dtype = storedType(tensor);
      if (stored?.dtype !== dtype || stored.shape.join() !== tensor.shape.join()) {
        const found = stored ? `${stored.dtype} [${stored.shape}]` : 'missing';
        throw ofAnotherRun(path, `${name} is ${found}, this recipe needs ${dtype} [${tensor.shape}]`);
      }
      await engine.write(name, source.bytes(name), tensor.dtype as 'f32' | 'f64' | 'u8');
    }
    const unread = [...source.tensors.keys()].find(
      (name) => engine.plan.variables.get(name)?.tensor.kind !== 'optimizer',
    );
    if (unread !== undefined) throw ofAnotherRun(path, `${unread} is nothing that this recipe's optimizer remembers`);
  } finally {
    source.close();
  }
}

function ofAnotherRun(path: string, what: string): UserError {
  return new UserError({
    what: `the checkpoint's ${what}`,
    where: path,
    next: 'resume with the recipe the checkpoint was made with',
    code: 'checkpoint_of_another_run',
  });
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** As safetensors calls the type of what an optimizer remembers. */
function storedType({ dtype }: Tensor): 'F32' | 'F64' | 'U8' {
  return dtype === 'u8' ? 'U8' : dtype === 'f64' ? 'F64' : 'F32';
}

function bytesOf(values: HostArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
