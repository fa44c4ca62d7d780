import {
  adamwOp,
  backward,
  clipScaleOp,
  Graph,
  linearCrossEntropy,
  linearCrossEntropyTraining,
  squareSumOp,
  type Tensor,
  Variables,
  zeroOp,
} from '@anneal/kernels';
import type { LoraSpec } from '../models/adapters/lora.ts';
import type { ModelConfig } from '../models/config.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope, type WeightOptions } from '../models/layers/modelScope.ts';

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
  const evaluate = evaluateProgram(variables, options);
  const graphs = [
    beginProgram(variables),
    train,
    updateProgram(variables, parameters, options.optimizer),
    beginEvaluation(variables),
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

function weightsOf({ weightType, lora }: TrainingProgramOptions, dropoutSeed: Tensor | null): WeightOptions {
  return { type: weightType, trainable: lora === null, lora, dropoutSeed };
}

function lossOf(variables: Variables): Tensor {
  return variables.get('loss', { shape: [1], dtype: 'f64', kind: 'state' });
}

function squareSumOf(variables: Variables): Tensor {
  return variables.get('gradient_square_sum', { shape: [1], dtype: 'f64', kind: 'state' });
}

function trainProgram(variables: Variables, options: TrainingProgramOptions): Graph {
  const graph = new Graph('train', variables);
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
      targets: graph.input('targets', 'i32', ['T']),
      loss: lossOf(variables),
      scale: graph.input('lossScale', 'f32', [1]),
    },
    scope.bf16,
  );
  backward(graph, loss);
  return graph;
}

function evaluateProgram(variables: Variables, options: TrainingProgramOptions): Graph {
  const graph = new Graph('evaluate', variables);
  const inputs = batchInputs(graph);
  const scope = new ModelScope(graph, options.config, weightsOf(options, null));
  const { hidden } = decoder(scope, inputs);
  const targets = graph.input('targets', 'i32', ['T']);
  const loss = linearCrossEntropy({ x: hidden, weight: scope.head(), targets, loss: lossOf(variables) }, scope.bf16);
  graph.result('loss', loss);
  return graph;
}

function beginProgram(variables: Variables): Graph {
  const graph = new Graph('begin', variables);
  for (const x of [...variables.ofKind('gradient'), lossOf(variables), squareSumOf(variables)])
    graph.apply(zeroOp, { x });
  return graph;
}

function beginEvaluation(variables: Variables): Graph {
  const graph = new Graph('begin_evaluation', variables);
  graph.apply(zeroOp, { x: lossOf(variables) });
  return graph;
}

function updateProgram(variables: Variables, parameters: readonly Tensor[], options: AdamwOptions): Graph {
  const graph = new Graph('update', variables);
  const learningRate = graph.input('learningRate', 'f32', [1]);
  const step = graph.input('step', 'i32', [1]);
  let sum = squareSumOf(variables);
  for (const parameter of parameters) sum = graph.apply(squareSumOp, { x: variables.gradientOf(parameter), sum }).total;
  const { norm, scale } = graph.apply(clipScaleOp, { sum }, { maxNorm: options.maxGradNorm });
  graph.result('gradientNorm', norm);
  graph.result('loss', lossOf(variables));
  for (const parameter of parameters) {
    graph.apply(
      adamwOp,
      {
        parameter,
        gradient: variables.gradientOf(parameter),
        m: momentOf(variables, parameter, 'm'),
        v: momentOf(variables, parameter, 'v'),
        clip: scale,
        learningRate,
        step,
      },
      {
        beta1: options.beta1,
        beta2: options.beta2,
        epsilon: options.epsilon,
        weightDecay: options.decays(parameter) ? options.weightDecay : 0,
      },
    );
  }
  return graph;
}

function momentOf(variables: Variables, parameter: Tensor, moment: 'm' | 'v'): Tensor {
  return variables.get(`optimizer/${parameter.name}.${moment}`, {
    shape: parameter.shape as number[],
    dtype: 'f32',
    kind: 'optimizer',
  });
}
