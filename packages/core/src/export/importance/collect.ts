import type { Imatrix, ImatrixEntry } from '@anneal/formats/gguf/imatrix';
import {
  columnSquares,
  compile,
  type Device,
  type Engine,
  type ExpertRoutes,
  expertColumnSquares,
  Graph,
  type Plan,
  type Tensor,
  Variables,
  zeroOp,
} from '@anneal/kernels';
import { buildBatch } from '../../datasets/batch.ts';
import type { TokenStore } from '../../datasets/tokenStore.ts';
import { activationTypeOn } from '../../device.ts';
import { allocateEngine } from '../../memory.ts';
import { expertCount } from '../../models/adapters/experts.ts';
import { loraSpecOf, writeLora } from '../../models/adapters/lora.ts';
import type { LoraWeights } from '../../models/adapters/loraWeights.ts';
import { ggufNames } from '../../models/architecture.ts';
import { inFileColumns } from '../../models/columnOrder.ts';
import { decoder } from '../../models/layers/decoder.ts';
import { ModelScope } from '../../models/layers/modelScope.ts';
import { loadWeights } from '../../models/load.ts';
import type { OpenModel } from '../../models/model.ts';
import { nf4Forms, type Quantization } from '../../models/nf4.ts';
import { matrixCount, storedTensors } from '../../models/stored.ts';
import { expectedTensors } from '../../models/tensors.ts';
import { permutation } from '../../random.ts';

export interface CollectOptions {
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization: Quantization;
  readonly adapter: LoraWeights | null;
  /** About so many are read: whole documents, drawn evenly from all. */
  readonly tokens: number;
  /** Where the documents came from. */
  readonly datasets: readonly string[];
  /** Tokens that were read, of all that will be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tokens of a call: more do not make it faster. */
const CALL_TOKENS = 1024;
const CALL_DOCUMENTS = 64;

/** The linears that read one input, and where the sums of its squares are. */
interface Input {
  readonly sums: Tensor;
  readonly linears: readonly string[];
  /** Of experts the result that says which rows are whose. */
  readonly offsets: string | null;
}

/**
 * What the model's linears are multiplied with while it reads these documents: of each column of each the sum of squares, of experts
 * for each by itself. The same documents are drawn every time.
 * @throws UserError when the memory is not there; the reason of `signal`
 */
export async function collectImportance(
  model: OpenModel,
  store: TokenStore,
  { device, adapter, tokens, datasets, onProgress, signal, ...held }: CollectOptions,
): Promise<Imatrix> {
  const documents = drawn(store, tokens);
  const total = documents.reduce((sum, document) => sum + lengthOf(store, document), 0);
  const longest = Math.max(CALL_TOKENS, ...documents.map((document) => lengthOf(store, document)));
  const { plan, inputs } = planCollecting(model, longest, { device, adapter, ...held });
  const engine = allocateEngine(plan, device, {
    what: 'collecting the importance matrix',
    where: model.path,
    next: 'close other programs or loaded models, or wait until nothing trains on this device',
  });
  try {
    await loadWeights(engine, model, { signal });
    if (adapter) await writeLora(engine, adapter);
    await engine.run([{ program: 'begin', extents: {}, inputs: {} }]);
    const rows = new Map(inputs.map(({ sums, offsets }) => [sums.name, new Float64Array(offsets ? 0 : 1)]));
    let done = 0;
    for (const call of calls(store, documents, longest)) {
      signal?.throwIfAborted();
      done += await read(engine, store, call, inputs, rows);
      onProgress?.(done, total);
    }
    const entries = new Map<string, ImatrixEntry>();
    for (const input of inputs) {
      const sums = (await engine.read(input.sums.name)) as Float32Array;
      const counts = Float32Array.from(rows.get(input.sums.name) as Float64Array);
      for (const linear of input.linears) addEntries(entries, model, linear, { sums, counts });
    }
    return { entries, datasets, chunks: documents.length, chunkTokens: Math.round(total / documents.length) };
  } finally {
    await engine.dispose();
  }
}

const lengthOf = ({ lengths }: TokenStore, document: number): number => lengths[document] as number;

function drawn(store: TokenStore, tokens: number): number[] {
  const chosen: number[] = [];
  let sum = 0;
  for (const document of permutation(store.count, 'importance')) {
    if (sum >= tokens) break;
    chosen.push(document);
    sum += lengthOf(store, document);
  }
  return chosen;
}

function* calls(store: TokenStore, documents: readonly number[], most: number): Generator<number[]> {
  let call: number[] = [];
  let tokens = 0;
  for (const document of documents) {
    const length = lengthOf(store, document);
    if (call.length > 0 && (tokens + length > most || call.length === CALL_DOCUMENTS)) {
      yield call;
      call = [];
      tokens = 0;
    }
    call.push(document);
    tokens += length;
  }
  if (call.length > 0) yield call;
}

function planCollecting(
  model: OpenModel,
  longest: number,
  {
    device,
    weightType,
    quantization,
    adapter,
  }: Pick<CollectOptions, 'device' | 'weightType' | 'quantization' | 'adapter'>,
): { plan: Plan; inputs: Input[] } {
  const { config } = model;
  const shapes = expectedTensors(config);
  const lora = adapter && loraSpecOf(adapter, 0);
  const variables = new Variables();
  const graph = new Graph('read', variables, activationTypeOn(device, weightType));
  const inputs: Input[] = [];
  const onInput = (x: Tensor, linears: readonly string[], routes?: ExpertRoutes): void => {
    const [first = ''] = linears;
    const columns = shapes.get(first)?.[1] ?? 0;
    const name = `squares/${first}`;
    const shape = [columns * (routes ? expertCount(config, first) : 1)];
    const sums = variables.get(name, { shape, dtype: 'f32', kind: 'state' });
    if (routes) expertColumnSquares(x, routes, sums);
    else columnSquares(x, sums);
    if (routes) graph.result(name, routes.offsets);
    inputs.push({ sums, linears, offsets: routes ? name : null });
  };
  const scope = new ModelScope(graph, config, {
    type: weightType,
    nf4: nf4Forms(model, quantization, lora),
    trainable: false,
    lora,
    copies: false,
    dropoutSeed: null,
    onInput,
  });
  decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  const begin = new Graph('begin', variables);
  for (const { sums } of inputs) begin.apply(zeroOp, { x: sums });
  const plan = compile([begin, graph], {
    bounds: { T: longest, S: CALL_DOCUMENTS + 1, R: 1 },
    activations: 'keep',
    device,
  });
  return { plan, inputs };
}

/** @returns the tokens that were read; adds to the rows of each input */
async function read(
  engine: Engine,
  store: TokenStore,
  documents: readonly number[],
  inputs: readonly Input[],
  rows: Map<string, Float64Array>,
): Promise<number> {
  const { tokens, positions, cuSeqlens } = buildBatch(store, documents);
  const extents = { T: tokens.length, S: cuSeqlens.length };
  const wanted = inputs.flatMap(({ offsets }) => offsets ?? []);
  const call = { program: 'read', extents, inputs: { tokens, positions, cuSeqlens }, results: wanted };
  const { results } = await engine.run([call]);
  for (const { sums, offsets } of inputs) {
    const added = offsets === null ? [tokens.length] : differences(results[wanted.indexOf(offsets)] as Int32Array);
    const before = rows.get(sums.name) as Float64Array;
    rows.set(
      sums.name,
      Float64Array.from(added, (count, i) => count + (before[i] ?? 0)),
    );
  }
  return tokens.length;
}

function differences(offsets: Int32Array): number[] {
  return Array.from({ length: offsets.length - 1 }, (_, e) => (offsets[e + 1] as number) - (offsets[e] as number));
}

/** Under the names that the linear's matrices have in GGUF files. */
function addEntries(
  entries: Map<string, ImatrixEntry>,
  { architecture, config }: OpenModel,
  linear: string,
  { sums, counts }: ImatrixEntry,
): void {
  const shape = expectedTensors(config).get(linear) as readonly number[];
  const rowsEach = (shape[0] ?? 1) / counts.length;
  const columns = sums.length / counts.length;
  for (const stored of storedTensors(ggufNames(architecture, config), config, { name: linear, shape }, 'gguf')) {
    const { name, rows, layout, matrix } = stored;
    if (layout || matrix !== undefined) continue; // its columns are none of this product
    const experts = rows.slice(0, matrixCount(stored)).map(({ first }) => Math.floor(first / rowsEach));
    const inOrder = stored.columns ? inFileColumns(sums, counts.length, stored.columns) : sums;
    entries.set(name, {
      sums: Float32Array.from(experts.flatMap((e) => [...inOrder.subarray(e * columns, (e + 1) * columns)])),
      counts: Float32Array.from(experts, (e) => counts[e] as number),
    });
  }
}
