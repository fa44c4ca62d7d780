import {
  type ActivationType,
  backward,
  Graph,
  linearCrossEntropy,
  linearCrossEntropyTraining,
  roundToBf16Op,
  type Tensor,
  Variables,
  zeroOp,
} from '@anneal/kernels';
import type { LoraSpec } from '../models/adapters/lora.ts';
import type { ModelConfig } from '../models/config.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope, type WeightOptions } from '../models/layers/modelScope.ts';
import type { Nf4Form } from '../models/nf4.ts';
import { type AdamwOptions, type ParameterGroup, parameterGroups, updateGroups } from './optimizer.ts';

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
  const groups = parameterGroups(variables, parameters, options.optimizer, options.activationType === 'bf16');
  const evaluate = evaluateProgram(variables, { ...options, weights: weightsOf(options, null) });
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
  const { total, losses } = linearCrossEntropyTraining(
    {
      x: hidden,
      weight: scope.head(),
      ...targetInputs(graph),
      loss: lossOf(variables),
      scale: graph.input('lossScale', 'f32', [1]),
    },
    { bf16: scope.bf16, logitRows: options.logitRows },
  );
  backward(graph, total);
  graph.result('losses', losses);
  return graph;
}

export interface EvaluateProgramOptions {
  readonly config: ModelConfig;
  readonly weights: WeightOptions;
  readonly activationType: ActivationType;
  readonly logitRows: number;
}

/** Adds to the loss, and gives those of the single positions. */
export function evaluateProgram(
  variables: Variables,
  { config, weights, activationType, logitRows }: EvaluateProgramOptions,
): Graph {
  const graph = new Graph('evaluate', variables, activationType);
  const inputs = batchInputs(graph);
  const scope = new ModelScope(graph, config, weights);
  const { hidden } = decoder(scope, inputs);
  const { total, losses } = linearCrossEntropy(
    { x: hidden, weight: scope.head(), ...targetInputs(graph), loss: lossOf(variables) },
    { bf16: scope.bf16, logitRows },
  );
  graph.result('loss', total);
  graph.result('losses', losses);
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
  const norm = updateGroups(graph, groups, squareSumOf(variables), options);
  graph.result('gradientNorm', norm);
  graph.result('loss', lossOf(variables));
  return graph;
}
