import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { LoraConfig } from '@anneal/formats/peft/config';
import { wrapperOfParameter } from '@anneal/formats/peft/experts';
import {
  type FullTensorToWrite,
  type LoraModuleToWrite,
  peftAdapterBytes,
  writePeftAdapter,
} from '@anneal/formats/peft/write';
import type { TensorToWrite } from '@anneal/formats/safetensors/write';
import { modelByName } from '../hub/catalog.ts';
import { isOuterMatrix, outerShape, transposed } from '../models/adapters/embeddings.ts';
import { expertCount, expertsTogether, isOnExperts } from '../models/adapters/experts.ts';
import { isBias, linearOf } from '../models/adapters/full.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraModule, LoraWeights } from '../models/adapters/loraWeights.ts';
import { moduleName } from '../models/adapters/targets.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { findName, type TensorName } from '../models/names.ts';
import { classOf } from '../models/scoreHead.ts';
import { inFileOrder, wholeTensor } from '../models/stored.ts';
import { writeNewFolder } from './newFolder.ts';
import type { ExportResult } from './result.ts';
import { tokenizerBytes, tokenizerWarnings, writeTokenizer } from './writeTokenizer.ts';

export interface LoraExport {
  readonly model: OpenModel;
  readonly adapter: LoraWeights;
  readonly dropout: number;
  /** What `base_model_name_or_path` will say: the base as the recipe names it. */
  readonly baseModel: string;
  readonly revision?: string | undefined;
}

/** Writes a PEFT adapter folder in float32, with the tokenizer and chat templates it was trained with, and reads it back. */
export async function exportLora(folder: string, options: LoraExport): Promise<ExportResult> {
  const { model, adapter } = options;
  const { config, modules, full, tokens, warning } = contentOf(options);
  const files = await writeNewFolder(folder, async (temporary) => {
    await writePeftAdapter(temporary, config, modules, full, tokens);
    await writeTokenizer(temporary, model);
    if (!isDeepStrictEqual(await loadLoraWeights(temporary, model), adapter)) {
      throw new Error(`the adapter written to ${temporary} reads back differently`);
    }
  });
  return {
    path: folder,
    files,
    warnings: [...(warning === null ? [] : [warning]), ...namesInside(model), ...tokenizerWarnings(model)],
  };
}

/** PEFT finds layers by their names, which in a multimodal model are others. */
function namesInside(model: OpenModel): string[] {
  if (!model.isNested) return [];
  return [
    `The adapter names the layers of the text model alone: PEFT loads it onto a ${classOf(model)}, as the merged export is.`,
  ];
}

/** The bytes of all files that `exportLora` writes. */
export function loraBytes(options: LoraExport): number {
  const { config, modules, full, tokens } = contentOf(options);
  return peftAdapterBytes(config, modules, full, tokens) + tokenizerBytes(options.model);
}

interface Content {
  readonly config: LoraConfig;
  readonly modules: LoraModuleToWrite[];
  readonly full: FullTensorToWrite[];
  readonly tokens: TensorToWrite | null;
  readonly warning: string | null;
}

function contentOf({ model, adapter, dropout, baseModel, revision }: LoraExport): Content {
  const { names } = model.architecture;
  const linears = [...adapter.modules.keys()];
  const modulesOf = (isOne: (linear: string) => boolean): string[] =>
    linears.filter(isOne).map((linear) => moduleName(names, linear));
  const onExperts = modulesOf(isOnExperts);
  const onLayers = modulesOf((linear) => !isOnExperts(linear) && !isOuterMatrix(linear));
  const modules = [...adapter.modules].map(([linear, { A, B, magnitude, bias, rank = adapter.r }]) => {
    const experts = expertCount(model.config, linear);
    if (linear === 'embed') return embeddingToWrite(moduleName(names, linear), { A, B }, rank);
    const [, inputs = 0] = model.tensors.get(linear)?.shape ?? outerShape(model.config);
    const module = moduleName(names, linear);
    return {
      name: isOnExperts(linear) ? wrapperOfParameter(module, onExperts) : module,
      a: { dtype: 'F32' as const, shape: [experts * rank, inputs], bytes: () => bytesOf(A) },
      b: {
        dtype: 'F32' as const,
        shape: [B.length / (experts * rank), rank * experts],
        bytes: () => bytesOf(experts === 1 ? B : expertsTogether(B, experts, rank)),
      },
      ...(magnitude && { magnitude: vectorOf(magnitude) }),
      ...(bias && { bias: vectorOf(bias) }),
    };
  });
  const patterns = (key: 'rank' | 'alpha'): Record<string, number> =>
    Object.fromEntries(
      [...adapter.modules].flatMap(([linear, { [key]: value }]) =>
        value === undefined ? [] : [[moduleName(names, linear), value]],
      ),
    );
  const full = fullOf(model, adapter);
  const base = baseForPeft(baseModel);
  const config = {
    r: adapter.r,
    loraAlpha: adapter.alpha,
    useRslora: adapter.rslora,
    useDora: adapter.dora,
    loraBias: adapter.loraBias,
    loraDropout: dropout,
    ...trainedInFull(model, adapter),
    targetModules: [...shortest(onLayers, model.config.layerCount), ...modulesOf(isOuterMatrix)],
    targetParameters: shortest(onExperts, model.config.experts?.layers.filter(Boolean).length ?? 0),
    rankPattern: patterns('rank'),
    alphaPattern: patterns('alpha'),
    trainableTokens: adapter.tokens?.ids ?? [],
    initialization: adapter.quantizedBase ? ('loftq' as const) : ('plain' as const),
    taskType: model.config.scoreHead ? ('SEQ_CLS' as const) : ('CAUSAL_LM' as const),
    baseModel: base.name,
    revision,
  };
  return { config, modules, full, tokens: tokensOf(model, adapter), warning: base.warning };
}

/** PEFT keeps both factors of an embedding the other way round, A [rank, vocabulary]. */
function embeddingToWrite(name: string, { A, B }: Pick<LoraModule, 'A' | 'B'>, rank: number): LoraModuleToWrite {
  const [vocabulary, width] = [A.length / rank, B.length / rank];
  return {
    name,
    isEmbedding: true,
    a: { dtype: 'F32', shape: [rank, vocabulary], bytes: () => bytesOf(transposed(A, vocabulary, rank)) },
    b: { dtype: 'F32', shape: [width, rank], bytes: () => bytesOf(B) },
  };
}

/** Embedding and head are two files' tensors of one matrix, where the model has one. */
function fullOf({ architecture, config, tensors }: OpenModel, adapter: LoraWeights): FullTensorToWrite[] {
  return [...adapter.full].flatMap(([name, values]) => {
    const ours = name === 'embed' && config.tieWordEmbeddings ? ['embed', 'lm_head'] : [name];
    const stored = wholeTensor(architecture.names, config, tensors.get(name) as ModelTensor, 'huggingFace');
    return ours.map((each) => ({
      name: (findName(architecture.names, each) as TensorName).huggingFace,
      dtype: 'F32' as const,
      shape: stored.shape,
      bytes: () => bytesOf(inFileOrder(values, stored)),
      besideAdapter: isBias(name) && adapter.modules.has(linearOf(name)),
    }));
  });
}

function tokensOf({ architecture }: OpenModel, { tokens }: LoraWeights): TensorToWrite | null {
  if (!tokens) return null;
  const { ids, values } = tokens;
  const shape = [ids.length, values.length / ids.length];
  return { name: moduleName(architecture.names, 'embed'), dtype: 'F32', shape, bytes: () => bytesOf(values) };
}

function trainedInFull(
  { architecture, config }: OpenModel,
  { full, modules }: LoraWeights,
): Pick<LoraConfig, 'bias' | 'modulesToSave' | 'ensureWeightTying'> {
  const biases = [...full.keys()].filter(isBias);
  const besideAdapters = biases.every((bias) => modules.has(linearOf(bias)));
  return {
    bias: biases.length === 0 ? 'none' : besideAdapters ? 'lora_only' : 'all',
    modulesToSave: [...full.keys()].filter((name) => !isBias(name)).map((name) => moduleName(architecture.names, name)),
    ensureWeightTying: config.tieWordEmbeddings && full.has('embed'),
  };
}

/**
 * The base as PEFT finds it: a folder by its absolute path, a short name of ours by its Hugging Face name. PEFT loads no GGUF
 * file; the name stays, for us, with a warning.
 */
export function baseForPeft(baseModel: string): { name: string; warning: string | null } {
  const isHere = existsSync(baseModel);
  const known = isHere ? undefined : modelByName(baseModel);
  const isFile = known ? known.file !== undefined : baseModel.toLowerCase().endsWith('.gguf');
  const isOnHub = known?.entry.origins.some(({ kind }) => kind === 'hugging_face') ?? false;
  const name = isHere ? resolve(baseModel) : known && isOnHub && !isFile ? known.entry.id : baseModel;
  const loads = !isFile && (isHere || isOnHub);
  return {
    name,
    warning: loads
      ? null
      : `PEFT cannot load the base model by the name ${name}: set base_model_name_or_path in adapter_config.json to the ` +
        'Hugging Face name or folder of the same model.',
  };
}

/** The last parts of the names (`q_proj`) where each is in all of so many layers, and so means exactly these, else the whole names. */
function shortest(modules: readonly string[], layers: number): string[] {
  const ends = [...new Set(modules.map((module) => module.split('.').at(-1) as string))];
  return modules.length === ends.length * layers ? ends : [...modules];
}

function vectorOf(values: Float32Array) {
  return { dtype: 'F32' as const, shape: [values.length], bytes: () => bytesOf(values) };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
