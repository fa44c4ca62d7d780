import { type Nf4Weight, nf4Block, nf4ScaleBlock } from '../ops/dequantize_nf4/op.ts';
import { embedding } from '../ops/embedding/op.ts';
import { balanceLoss, type RoutedTokens } from '../ops/expert_balance/op.ts';
import { linearCrossEntropyTraining } from '../ops/linear_cross_entropy/op.ts';
import { linearLogProbability } from '../ops/linear_log_probability/op.ts';
import { type AnswerInputs, preferenceSums } from '../ops/preference_loss/op.ts';
import { rowScores } from '../ops/row_scores/op.ts';
import { zeroOp } from '../ops/zero/op.ts';
import { backward } from '../src/autodiff.ts';
import { hostArray, integer, normal, randomFrom, seedOf } from '../src/cases/numbers.ts';
import { Values } from '../src/cases/values.ts';
import type { Device } from '../src/device.ts';
import { Engine, type HostArray, type ProgramCall } from '../src/engine.ts';
import { Graph, type Node } from '../src/graph.ts';
import { type CompileOptions, compile, type Plan } from '../src/plan.ts';
import { type Bounds, type DType, elementCount, type RuntimeDim, runtimeDims, type Tensor } from '../src/tensor.ts';
import { type VariableSpec, Variables } from '../src/variables.ts';
import { columnsOf, interpret } from './interpreter.ts';

/** Values of the inputs of one call, and its runtime extents where they are below the bounds. */
export interface Batch {
  readonly extents: Readonly<Partial<Record<RuntimeDim, number>>>;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

/** A loss to train on: a graph under construction, with the values its variables start from. */
export class Problem {
  readonly variables = new Variables();
  readonly graph = new Graph('train', this.variables);
  readonly bounds: Bounds;
  /** Values that variables start from; all others start at zero. */
  readonly starts = new Map<string, Float64Array>();
  private forwardNodes: readonly Node[] = [];

  constructor(bounds: Partial<Bounds> = {}) {
    this.bounds = { T: 1, S: 1, R: Math.max(bounds.T ?? 1, 64), ...bounds };
  }

  /** A variable with normal values of standard deviation `spread` around `mean`. */
  variable(
    name: string,
    shape: readonly number[],
    kind: VariableSpec['kind'],
    { spread = 1, mean = 0 }: { spread?: number; mean?: number } = {},
  ): Tensor {
    const tensor = this.variables.get(name, { shape, dtype: 'f32', kind });
    const random = randomFrom(seedOf(name));
    const count = elementCount(shape, this.bounds);
    if (!this.starts.has(name))
      this.starts.set(
        name,
        Float64Array.from({ length: count }, () => Math.fround(mean + spread * normal(random))),
      );
    return tensor;
  }

  /** A frozen weight in NF4 whose absmaxes are quantized, too. */
  nf4(name: string, rows: number, columns: number): Nf4Weight {
    const blocks = Math.ceil((rows * columns) / nf4Block);
    const groups = Math.ceil(blocks / nf4ScaleBlock);
    const random = randomFrom(seedOf(name));
    const weight = (part: string, shape: readonly number[], dtype: 'u8' | 'f32', value: () => number): Tensor => {
      const tensor = this.variables.get(`${name}.${part}`, { shape, dtype, kind: 'weight' });
      const values = Float64Array.from({ length: elementCount(shape, this.bounds) }, () => Math.fround(value()));
      this.starts.set(tensor.name, values);
      return tensor;
    };
    const byte = () => integer(random, 256);
    return {
      codes: weight('codes', [rows, columns / 2], 'u8', byte),
      absmax: weight('absmax', [blocks], 'u8', byte),
      double: {
        scales: weight('scales', [groups], 'f32', () => 1 + 0.1 * normal(random)),
        map: weight('map', [256], 'f32', () => normal(random)),
        offsets: weight('offsets', [groups], 'f32', () => normal(random)),
      },
    };
  }

  /** A trained [rows, columns] tensor as an activation of the graph. */
  rows(name: string, rows: number, columns: number): Tensor {
    const table = this.variable(name, [rows, columns], 'parameter');
    return embedding(this.graph.input(`${name}.ids`, 'i32', [rows]), table);
  }

  /** Cross entropy of hidden · headᵀ, and the gradients of all parameters. */
  train(hidden: Tensor, head: Tensor, tokens: Tensor['shape'][number] = hidden.shape[0] as number): void {
    const { total: loss } = linearCrossEntropyTraining(
      {
        x: hidden,
        weight: head,
        labels: this.graph.input('labels', 'i32', [tokens]),
        rows: this.graph.input('rows', 'i32', ['R']),
        scale: this.graph.input('scale', 'f32', [1]),
        loss: this.sums(1),
      },
      { bf16: false, logitRows: 128, softCap: 0 },
    );
    this.minimize(loss);
  }

  /** A loss over answers, of hidden · headᵀ, and the gradients of all parameters. */
  trainAnswers(hidden: Tensor, head: Tensor, lossOf: (inputs: AnswerInputs) => Tensor): void {
    this.trainLogps(hidden, head, (logps) => lossOf(this.answers(logps)));
  }

  /** A loss over answers of which each is a row that the head scores, and the gradients of all parameters. */
  trainScores(hidden: Tensor, head: Tensor, lossOf: (inputs: AnswerInputs) => Tensor): void {
    const scores = rowScores(hidden, head, this.graph.input('rows', 'i32', ['R']));
    this.minimize(lossOf(this.answers(scores)));
  }

  /** A loss of the labels' log-probabilities, of hidden · headᵀ, and the gradients of all parameters. */
  trainLogps(hidden: Tensor, head: Tensor, lossOf: (logps: Tensor) => Tensor): void {
    const logps = linearLogProbability(
      {
        x: hidden,
        weight: head,
        labels: this.graph.input('labels', 'i32', [hidden.shape[0] as number]),
        rows: this.graph.input('rows', 'i32', ['R']),
      },
      { bf16: false, logitRows: 128, softCap: 0 },
    );
    this.minimize(lossOf(logps));
  }

  private answers(logps: Tensor): AnswerInputs {
    const offsets = (name: string) => this.graph.input(name, 'i32', ['S']);
    return {
      logps,
      rowOffsets: offsets('rowOffsets'),
      answerOffsets: offsets('answerOffsets'),
      side: offsets('side'),
      scale: this.graph.input('scale', 'f32', [2]),
      sums: this.sums(preferenceSums.length),
    };
  }

  /** The balance loss of these layers, and the gradients of all parameters. */
  trainBalance(layers: readonly RoutedTokens[]): void {
    const inputs = { count: this.graph.input('count', 'i32', [1]), scale: this.graph.input('scale', 'f32', [1]) };
    this.minimize(balanceLoss(layers, { ...inputs, loss: this.sums(1) }));
  }

  private minimize(loss: Tensor): void {
    this.forwardNodes = [...this.graph.nodes];
    backward(this.graph, loss);
  }

  /** What a loss adds to. */
  sums(count: number): Tensor {
    return this.variables.get('loss', { shape: [count], dtype: 'f64', kind: 'state' });
  }

  get parameters(): Tensor[] {
    return this.variables.ofKind('parameter').filter((t) => this.variables.byName.has(`gradient/${t.name}`));
  }

  start(parameter: Tensor): Float64Array {
    return this.starts.get(parameter.name) as Float64Array;
  }

  compile(
    options: Pick<CompileOptions, 'activations' | 'memoryBudget' | 'hostBudget'>,
    device: Device,
    bounds = this.bounds,
  ): Plan {
    const begin = new Graph('begin', this.variables);
    for (const x of [...this.variables.ofKind('gradient'), this.variables.byName.get('loss') as Tensor])
      begin.apply(zeroOp, { x });
    return compile([begin, this.graph], { bounds, device, ...options });
  }

  /** Loss and gradients summed over the batches, by the native engine. */
  async step(plan: Plan, batches: readonly Batch[], device: Device, parameters = this.starts): Promise<Step> {
    const engine = new Engine(plan, device);
    try {
      for (const [name, values] of parameters) {
        const type = this.variables.byName.get(name)?.dtype === 'u8' ? 'u8' : 'f32';
        await engine.write(name, hostArray(values, type), type);
      }
      await engine.run([{ program: 'begin', extents: {}, inputs: {} }, ...batches.map((batch) => this.call(batch))]);
      const gradients = new Map<string, Float32Array>();
      for (const { name } of this.parameters)
        gradients.set(name, (await engine.read(`gradient/${name}`)) as Float32Array);
      return { loss: (await engine.read('loss'))[0] as number, gradients };
    } finally {
      await engine.dispose();
    }
  }

  /** The scaled loss in float64, with parameters moved by `change`. */
  loss(batches: readonly Batch[], change: ReadonlyMap<string, Float64Array> = new Map()): number {
    let total = 0;
    for (const batch of batches.map(withRows)) {
      const bounds = { ...this.bounds, ...batch.extents };
      const values = new Map<Tensor, Values>();
      for (const tensor of this.variables.byName.values()) {
        const count = elementCount(tensor.shape, bounds);
        const start = change.get(tensor.name) ?? this.starts.get(tensor.name) ?? new Float64Array(count);
        values.set(tensor, new Values(start, columnsOf(tensor)));
      }
      for (const [name, tensor] of this.graph.inputs)
        values.set(tensor, new Values(Float64Array.from(batch.inputs[name] as number[]), columnsOf(tensor)));
      interpret(this.forwardNodes, values, bounds);
      const sums = values.get(this.variables.byName.get('loss') as Tensor) as Values;
      for (const [i, factor] of (batch.inputs.scale as number[]).entries()) total += factor * sums.at(i);
    }
    return total;
  }

  /** d loss / d parameter[i] by central differences in float64. */
  slope(batches: readonly Batch[], { name }: Tensor, i: number, step = 1e-4): number {
    const start = this.starts.get(name) as Float64Array;
    const at = (delta: number) => {
      const moved = start.slice();
      moved[i] = (moved[i] as number) + delta;
      return this.loss(batches, new Map([[name, moved]]));
    };
    return (at(step) - at(-step)) / (2 * step);
  }

  private call(batch: Batch): ProgramCall {
    const { extents, inputs } = withRows(batch);
    const arrays = [...this.graph.inputs].map(([name, { dtype }]): [string, HostArray] => [
      name,
      hostArray(Float64Array.from(inputs[name] as number[]), dtype as DType),
    ]);
    const all = Object.fromEntries(runtimeDims.map((dim) => [dim, extents[dim] ?? this.bounds[dim]]));
    return { program: 'train', extents: all, inputs: Object.fromEntries(arrays) };
  }
}

/** With the list of the supervised rows, which the program takes beside the labels. */
function withRows({ extents, inputs }: Batch): Batch {
  const rows = (inputs.labels ?? []).flatMap((label, t) => (label >= 0 ? [t] : []));
  return { extents: { ...extents, R: rows.length }, inputs: { ...inputs, rows } };
}

export interface Step {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Ids, every sixth of them -1. */
export function someLabels(count: number, vocabulary: number): number[] {
  const random = randomFrom(count);
  return Array.from({ length: count }, (_, t) => (t % 6 === 4 ? -1 : integer(random, vocabulary)));
}

/** Elements whose gradient is not the slope of the loss. float32 gradients are good to a few 1e-6 of the largest one. */
export function wrongSlopes(p: Problem, batches: readonly Batch[], step: Step, every = 1): string[] {
  return p.parameters.flatMap((parameter) => {
    const gradient = step.gradients.get(parameter.name) as Float32Array;
    const tolerance = 2e-5 * gradient.reduce((largest, g) => Math.max(largest, Math.abs(g)), 1e-3);
    return [...gradient].flatMap((got, i) => {
      if (i % every !== 0) return [];
      const slope = p.slope(batches, parameter, i);
      return Math.abs(got - slope) <= tolerance ? [] : [`${parameter.name}[${i}]: ${got} instead of ${slope}`];
    });
  });
}
