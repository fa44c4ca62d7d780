import {
  type ActivationType,
  adamwOp,
  backward,
  clipScaleOp,
  Graph,
  linearCrossEntropy,
  linearCrossEntropyTraining,
  roundToBf16Op,
  squareSumOp,
  type Tensor,
  Variables,
  zeroOp,
} from '@anneal/kernels';
import type { LoraSpec } from '../models/adapters/lora.ts';
import type { ModelConfig } from '../models/config.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope, type WeightOptions } from '../models/layers/modelScope.ts';
import type { Nf4Form } from '../models/nf4.ts';

export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: gradients are not clipped. */
  readonly maxGradNorm: number;
  /** Whether a parameter decays; transformers' Trainer leaves out norms and biases. */
  readonly decays: (parameter: Tensor) => boolean;
}

export interface TrainingProgramOptions {
  readonly config: ModelConfig;
  readonly weightType: 'f32' | 'bf16';
  readonly activationType: ActivationType;
  /** Linears that are held in NF4. */
  readonly nf4: ReadonlyMap<string, Nf4Form>;
  /** Rows of logits that exist at one time. */
  readonly logitRows: number;
  /** null: full fine-tuning. */
  readonly lora: LoraSpec | null;
  readonly optimizer: AdamwOptions;
}

export interface TrainingPrograms {
  readonly variables: Variables;
  readonly graphs: readonly Graph[];
  /** Trained tensors by name, in the order in which they were declared. */
  readonly parameters: readonly Tensor[];
}

/**
 * What an optimizer step is made of: `begin` clears the sums, `train` runs once for each batch of the step and adds to them,
 * `update` clips and moves the parameters. `evaluate` adds to the loss only.
 */
export function trainingPrograms(options: TrainingProgramOptions): TrainingPrograms {
  const variables = new Variables();
  const train = trainProgram(variables, options);
  const parameters = variables.ofKind('parameter');
  const groups = parameterGroups(variables, parameters, options);
  const evaluate = evaluateProgram(variables, options);
  const graphs = [
    beginProgram(variables, groups),
    train,
    updateProgram(variables, groups, options.optimizer),
    beginEvaluation(variables, groups),
    evaluate,
  ];
  return { variables, graphs, parameters };
}

function batchInputs(graph: Graph) {
  return {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) } as const,
  };
}

function targetInputs(graph: Graph) {
  return { labels: graph.input('labels', 'i32', ['T']), rows: graph.input('supervisedRows', 'i32', ['R']) };
}

function weightsOf(
  { weightType, activationType, nf4, lora }: TrainingProgramOptions,
  dropoutSeed: Tensor | null,
): WeightOptions {
  return { type: weightType, nf4, trainable: lora === null, lora, copies: activationType === 'bf16', dropoutSeed };
}

function lossOf(variables: Variables): Tensor {
  return variables.get('loss', { shape: [1], dtype: 'f64', kind: 'state' });
}

function squareSumOf(variables: Variables): Tensor {
  return variables.get('gradient_square_sum', { shape: [1], dtype: 'f64', kind: 'state' });
}

function trainProgram(variables: Variables, options: TrainingProgramOptions): Graph {
  const graph = new Graph('train', variables, options.activationType);
  const inputs = batchInputs(graph);
  const hasDropout = (options.lora?.dropout ?? 0) > 0;
  const scope = new ModelScope(
    graph,
    options.config,
    weightsOf(options, hasDropout ? graph.input('dropoutSeed', 'i32', [2]) : null),
  );
  const { hidden } = decoder(scope, inputs);
  const loss = linearCrossEntropyTraining(
    {
      x: hidden,
      weight: scope.head(),
      ...targetInputs(graph),
      loss: lossOf(variables),
      scale: graph.input('lossScale', 'f32', [1]),
    },
    { bf16: scope.bf16, logitRows: options.logitRows },
  );
  backward(graph, loss);
  return graph;
}

function evaluateProgram(variables: Variables, options: TrainingProgramOptions): Graph {
  const graph = new Graph('evaluate', variables, options.activationType);
  const inputs = batchInputs(graph);
  const scope = new ModelScope(graph, options.config, weightsOf(options, null));
  const { hidden } = decoder(scope, inputs);
  const loss = linearCrossEntropy(
    { x: hidden, weight: scope.head(), ...targetInputs(graph), loss: lossOf(variables) },
    { bf16: scope.bf16, logitRows: options.logitRows },
  );
  graph.result('loss', loss);
  return graph;
}

function beginProgram(variables: Variables, groups: readonly ParameterGroup[]): Graph {
  const graph = new Graph('begin', variables);
  const gradients = groups.map(({ gradient }) => gradient);
  for (const x of [...gradients, lossOf(variables), squareSumOf(variables)]) graph.apply(zeroOp, { x });
  refreshCopies(graph, groups);
  return graph;
}

function beginEvaluation(variables: Variables, groups: readonly ParameterGroup[]): Graph {
  const graph = new Graph('begin_evaluation', variables);
  graph.apply(zeroOp, { x: lossOf(variables) });
  refreshCopies(graph, groups);
  return graph;
}

/** What products read of the parameters, as they are now: every step and every evaluation begins with it. */
function refreshCopies(graph: Graph, groups: readonly ParameterGroup[]): void {
  for (const { parameter, copy } of groups) if (copy) graph.apply(roundToBf16Op, { x: parameter, copy });
}

function updateProgram(variables: Variables, groups: readonly ParameterGroup[], options: AdamwOptions): Graph {
  const graph = new Graph('update', variables);
  const learningRate = graph.input('learningRate', 'f32', [1]);
  const step = graph.input('step', 'i32', [1]);
  let sum = squareSumOf(variables);
  for (const { gradient } of groups) sum = graph.apply(squareSumOp, { x: gradient, sum }).total;
  const { norm, scale } = graph.apply(clipScaleOp, { sum }, { maxNorm: options.maxGradNorm });
  graph.result('gradientNorm', norm);
  graph.result('loss', lossOf(variables));
  for (const { parameter, gradient, m, v, weightDecay } of groups) {
    graph.apply(
      adamwOp,
      {
        parameter,
        gradient,
        m,
        v,
        clip: scale,
        learningRate,
        step,
      },
      {
        beta1: options.beta1,
        beta2: options.beta2,
        epsilon: options.epsilon,
        weightDecay,
      },
    );
  }
  return graph;
}

/** Parameters that are updated alike, with their gradients and moments: each a flat tensor over all members, in one order. */
interface ParameterGroup {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** In bfloat16; null where products read the parameters themselves. */
  readonly copy: Tensor | null;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly weightDecay: number;
}

/** Extents cross the native boundary as 32-bit integers. */
const maxGroupElements = 2 ** 30;

function parameterGroups(
  variables: Variables,
  parameters: readonly Tensor[],
  { optimizer: { decays, weightDecay: rate }, activationType }: TrainingProgramOptions,
): ParameterGroup[] {
  const both = [true, false].flatMap((decay) => {
    const members = parameters.filter((parameter) => decays(parameter) === decay);
    return pieces(variables, members).map((piece) => ({ members: piece, weightDecay: decay ? rate : 0 }));
  });
  return both.map(({ members, weightDecay }, i) => ({
    parameter: variables.group(`parameters.${i}`, members),
    gradient: variables.group(
      `gradients.${i}`,
      members.map((parameter) => variables.gradientOf(parameter)),
    ),
    copy:
      activationType === 'bf16'
        ? variables.group(
            `copies.${i}`,
            members.map((parameter) => variables.copyOf(parameter)),
          )
        : null,
    m: variables.group(
      `m.${i}`,
      members.map((parameter) => momentOf(variables, parameter, 'm')),
    ),
    v: variables.group(
      `v.${i}`,
      members.map((parameter) => momentOf(variables, parameter, 'v')),
    ),
    weightDecay,
  }));
}

/** In order, each with at most `maxGroupElements` elements, or a stack's more; none is empty. */
function pieces(variables: Variables, members: readonly Tensor[]): Tensor[][] {
  const found: Tensor[][] = [];
  let room = 0;
  for (const member of members) {
    const elements = member.shape.reduce<number>((product, extent) => product * Number(extent), 1);
    if (found.length === 0 || (elements > room && !variables.continuesStack(member))) {
      found.push([]);
      room = maxGroupElements;
    }
    found.at(-1)?.push(member);
    room -= elements;
  }
  return found;
}

function momentOf(variables: Variables, parameter: Tensor, moment: 'm' | 'v'): Tensor {
  return variables.get(`optimizer/${parameter.name}.${moment}`, {
    shape: parameter.shape as number[],
    dtype: 'f32',
    kind: 'optimizer',
  });
}
