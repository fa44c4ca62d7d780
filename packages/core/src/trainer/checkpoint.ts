import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import type { Engine } from '@anneal/kernels';
import type { LoaderState } from '../datasets/loader.ts';
import { UserError } from '../errors.ts';
import { exportLora } from '../export/lora.ts';
import { type LoraOptions, type LoraSpec, readLora } from '../models/adapters/lora.ts';
import type { OpenModel } from '../models/model.ts';
import { findName } from '../models/names.ts';

/** What a run must know beside weights and moments to go on as if it had not stopped. */
export interface TrainerState {
  /** Optimizer steps done. */
  readonly step: number;
  readonly epoch: number;
  readonly bestLoss: number | null;
  readonly bestStep: number | null;
  /** Evaluations since the best one. */
  readonly evaluationsWithoutGain: number;
  /** Training milliseconds so far, over all launches. */
  readonly milliseconds: number;
}

export interface CheckpointContents {
  readonly engine: Engine;
  readonly model: OpenModel;
  /** null: full fine-tuning, the checkpoint is a whole model. */
  readonly lora: { readonly options: LoraOptions; readonly spec: LoraSpec } | null;
  readonly baseModel: string;
  readonly revision: string | null;
}

/**
 * adapter_model.safetensors and adapter_config.json as PEFT names them (or model.safetensors with its config), optimizer.safetensors,
 * trainer_state.json, rng.json, data_state.json. Everything in float32, as the engine holds it.
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

/** Fills the engine from a checkpoint. Throws UserError when it was made by a run of another shape. */
export async function readCheckpoint(
  folder: string,
  engine: Engine,
): Promise<{ state: TrainerState; data: LoaderState }> {
  await readMoments(join(folder, 'optimizer.safetensors'), engine);
  return {
    state: JSON.parse(await readFile(join(folder, 'trainer_state.json'), 'utf8')) as TrainerState,
    data: JSON.parse(await readFile(join(folder, 'data_state.json'), 'utf8')) as LoaderState,
  };
}

/** Called before anything is loaded from the folder. @throws UserError where it holds weights alone, or nothing */
export function assertIsCheckpoint(folder: string): void {
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
  { options, spec }: { options: LoraOptions; spec: LoraSpec },
): Promise<void> {
  const adapter = await readLora(engine, options, spec);
  await exportLora(folder, { model, adapter, dropout: spec.dropout, baseModel, revision: revision ?? undefined });
}

async function writeModel(folder: string, engine: Engine, model: OpenModel): Promise<void> {
  const tensors = [...model.tensors.values()].map(({ name, shape }) => ({
    name: findName(model.architecture.names, name)?.huggingFace ?? name,
    dtype: 'F32' as const,
    shape,
    bytes: async () => bytesOf((await engine.read(name)) as Float32Array),
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  await writeJson(join(folder, 'config.json'), { ...model.configJson, dtype: 'float32', torch_dtype: 'float32' });
  if (model.generationConfig) await writeJson(join(folder, 'generation_config.json'), model.generationConfig);
  for (const file of model.tokenizerFiles) await writeFile(join(folder, file), model.readTokenizerFile(file));
}

async function writeMoments(path: string, engine: Engine): Promise<void> {
  const moments = [...engine.plan.variables].filter(([, { tensor }]) => tensor.kind === 'optimizer');
  const tensors = moments.map(([name, { tensor }]) => ({
    name,
    dtype: 'F32' as const,
    shape: tensor.shape as number[],
    bytes: async () => bytesOf((await engine.read(name)) as Float32Array),
  }));
  await writeSafetensors(path, tensors);
}

async function readMoments(path: string, engine: Engine): Promise<void> {
  const source = openSafetensors(path);
  try {
    for (const [name, { tensor }] of engine.plan.variables) {
      if (tensor.kind !== 'optimizer') continue;
      const stored = source.tensors.get(name);
      if (stored?.shape.join() !== tensor.shape.join()) {
        throw new UserError({
          what: `the checkpoint's ${name} is ${stored ? `[${stored.shape}]` : 'missing'}, this recipe needs [${tensor.shape}]`,
          where: path,
          next: 'resume with the recipe the checkpoint was made with',
          code: 'checkpoint_of_another_run',
        });
      }
      await engine.write(name, source.bytes(name), 'f32');
    }
  } finally {
    source.close();
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
