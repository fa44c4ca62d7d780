import type { Nf4Form } from '@anneal/formats/bitsandbytes/nf4';
import {
  type ActivationType,
  type AdaptedMatrix,
  adaptMatrix,
  adaptMatrixBackward,
  backward,
  balanceLoss,
  exchangeOp,
  Graph,
  putRowsOp,
  type RoutedTokens,
  roundToBf16Op,
  type Tensor,
  takeRowsOp,
  Variables,
  zeroOp,
} from '@anneal/kernels';
import type { LoraSpec } from '../models/adapters/lora.ts';
import { type TokenVariables, tokenVariables } from '../models/adapters/tokens.ts';
import type { ModelConfig } from '../models/config.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import type { WeightOptions } from '../models/layers/scopeWeights.ts';
import { divergenceVariable } from '../objectives/kto.ts';
import type { Objective } from '../objectives/objective.ts';
import { contextOf, evaluateProgram, sumsOf } from './evaluatePrograms.ts';
import { type DecidedOptimizer, type ParameterGroup, parameterGroups, updateGroups } from './optimizer.ts';

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
  readonly objective: Objective;
  readonly optimizer: DecidedOptimizer;
  /** NEFTune's alpha; 0, as where nothing is said: no noise. */
  readonly embeddingNoiseAlpha?: number | undefined;
  /** The balance loss of routers joins the objective. */
  readonly balances?: boolean | undefined;
}

export interface TrainingPrograms {
  readonly variables: Variables;
  readonly graphs: readonly Graph[];
  /** Trained tensors by name, in the order in which they were declared. */
  readonly parameters: readonly Tensor[];
  /** Names of the variables that begin as a parameter, with its name. */
  readonly beginsAs: ReadonlyMap<string, string>;
}

/**
 * What an optimizer step is made of: `begin` clears the sums, `train` runs once for each batch of the step and adds to them,
 * `update` clips and moves the parameters. `evaluate` adds to the sums only. Where the objective measures its divergence,
 * `begin_divergence` and `diverge` do so before `train` and `evaluate`. With DoRA, `magnitudes` gives what magnitudes begin as. Where the optimizer
 * keeps averages, `exchange_averages` puts them in the place of the parameters, and back.
 */
export function trainingPrograms(options: TrainingProgramOptions): TrainingPrograms {
  const variables = new Variables();
  const train = trainProgram(variables, options);
  const tokens = tokensOf(variables, options);
  const head = new ModelScope(train, options.config, weightsOf(options, null)).adaptedHead();
  const derived = [tokens?.embedding, head?.into];
  const parameters = variables.ofKind('parameter').filter((parameter) => !derived.includes(parameter));
  const groups = parameterGroups(variables, parameters, options.optimizer, options.activationType === 'bf16');
  const evaluate = evaluateProgram(variables, { ...options, weights: weightsOf(options, null) });
  const graphs = [
    beginProgram(variables, groups, options, { tokens, head }),
    train,
    updateProgram(variables, groups, options, { tokens, head }),
    beginEvaluation(variables, groups, options, head),
    evaluate,
    ...divergencePrograms(variables, options, head),
    ...magnitudePrograms(variables, options),
    ...exchangePrograms(variables, groups, tokens),
  ];
  const beginsAs = new Map(groups.flatMap((group) => [...group.beginsAs]));
  return { variables, graphs, parameters, beginsAs };
}

/** What is read of what is trained, and has a gradient of its own: an embedding with rows of some tokens, an output layer with its adapter. */
interface Derived {
  readonly tokens: TokenVariables | null;
  readonly head: AdaptedMatrix | null;
}

function tokensOf(variables: Variables, { lora, config }: TrainingProgramOptions): TokenVariables | null {
  return lora && lora.tokens.length > 0 ? tokenVariables(variables, config, lora.tokens) : null;
}

/** The embedding gets its trained rows as they are now. */
function putTokens(graph: Graph, { embedding, rows, ids }: TokenVariables): void {
  graph.apply(putRowsOp, { from: rows, rows: ids, into: embedding });
}

function weightsOf(
  { weightType, activationType, nf4, lora }: TrainingProgramOptions,
  dropoutSeed: Tensor | null,
): WeightOptions {
  return { type: weightType, nf4, trainable: lora === null, lora, copies: activationType === 'bf16', dropoutSeed };
}

/** What batches add up of the balance loss: each its own, times its tokens. */
function balanceSumOf(variables: Variables): Tensor {
  return variables.get('balance', { shape: [1], dtype: 'f64', kind: 'state' });
}

function squareSumOf(variables: Variables): Tensor {
  return variables.get('gradient_square_sum', { shape: [1], dtype: 'f64', kind: 'state' });
}

function trainProgram(variables: Variables, options: TrainingProgramOptions): Graph {
  const graph = new Graph('train', variables, options.activationType);
  const hasDropout = (options.lora?.dropout ?? 0) > 0;
  const alpha = options.embeddingNoiseAlpha ?? 0;
  const routed: RoutedTokens[] = [];
  const weights = {
    ...weightsOf(options, hasDropout ? graph.input('dropoutSeed', 'i32', [2]) : null),
    embeddingNoise: alpha > 0 ? { alpha, seed: graph.input('noiseSeed', 'i32', [2]) } : null,
    ...(options.balances && { onRouter: (layer: RoutedTokens) => routed.push(layer) }),
  };
  const { sums, rows } = options.objective.train(contextOf(graph, sumsOf(variables, options), { ...options, weights }));
  if (options.balances) {
    const loss = balanceLoss(routed, {
      count: graph.input('countedTokens', 'i32', [1]),
      scale: graph.input('balanceScale', 'f32', [1]),
      loss: balanceSumOf(variables),
    });
    backward(graph, sums, loss);
  } else {
    backward(graph, sums);
  }
  graph.result('rows', rows);
  return graph;
}

function divergencePrograms(
  variables: Variables,
  options: TrainingProgramOptions,
  head: AdaptedMatrix | null,
): Graph[] {
  const { divergence, measureDivergence } = options.objective;
  if (!divergence || !measureDivergence) return [];
  const begin = new Graph('begin_divergence', variables);
  const sum = variables.get(divergenceVariable, { shape: [1], dtype: 'f64', kind: 'state' });
  begin.apply(zeroOp, { x: sum });
  if (head) adaptMatrix(begin, head);
  const graph = new Graph('diverge', variables, options.activationType);
  graph.result('sum', measureDivergence(contextOf(graph, sum, { ...options, weights: weightsOf(options, null) })));
  return [begin, graph];
}

/** Of DoRA: `magnitudes` gives the row lengths of each adapted weight by its name. */
function magnitudePrograms(variables: Variables, options: TrainingProgramOptions): Graph[] {
  const { lora, config, activationType } = options;
  if (!lora?.dora) return [];
  const graph = new Graph('magnitudes', variables, activationType);
  const scope = new ModelScope(graph, config, weightsOf(options, null));
  for (const linear of lora.modules.keys()) graph.result(linear, scope.rowLengths(linear));
  return [graph];
}

function exchangePrograms(
  variables: Variables,
  groups: readonly ParameterGroup[],
  tokens: TokenVariables | null,
): Graph[] {
  if (groups.every(({ average }) => average === null)) return [];
  const graph = new Graph('exchange_averages', variables);
  for (const { parameter, average } of groups) if (average) graph.apply(exchangeOp, { a: parameter, b: average });
  if (tokens) putTokens(graph, tokens);
  return [graph];
}

function beginProgram(
  variables: Variables,
  groups: readonly ParameterGroup[],
  options: Pick<TrainingProgramOptions, 'objective' | 'balances'>,
  { tokens, head }: Derived,
): Graph {
  const graph = new Graph('begin', variables);
  const dense = [tokens?.embedding, head?.into].flatMap((tensor) => (tensor ? [variables.gradientOf(tensor)] : []));
  const gradients = [...groups.map(({ gradient }) => gradient), ...dense];
  const sums = [
    sumsOf(variables, options),
    squareSumOf(variables),
    ...(options.balances ? [balanceSumOf(variables)] : []),
  ];
  for (const x of [...gradients, ...sums]) graph.apply(zeroOp, { x });
  refreshCopies(graph, groups);
  if (head) adaptMatrix(graph, head);
  return graph;
}

function beginEvaluation(
  variables: Variables,
  groups: readonly ParameterGroup[],
  options: Pick<TrainingProgramOptions, 'objective'>,
  head: AdaptedMatrix | null,
): Graph {
  const graph = new Graph('begin_evaluation', variables);
  graph.apply(zeroOp, { x: sumsOf(variables, options) });
  refreshCopies(graph, groups);
  if (head) adaptMatrix(graph, head);
  return graph;
}

/** What products read of the parameters, as they are now: every step and every evaluation begins with it. */
function refreshCopies(graph: Graph, groups: readonly ParameterGroup[]): void {
  for (const { parameter, copy } of groups) if (copy) graph.apply(roundToBf16Op, { x: parameter, copy });
}

function updateProgram(
  variables: Variables,
  groups: readonly ParameterGroup[],
  options: TrainingProgramOptions,
  { tokens, head }: Derived,
): Graph {
  const graph = new Graph('update', variables);
  if (head) adaptMatrixBackward(graph, head);
  if (tokens) {
    const from = variables.gradientOf(tokens.embedding);
    graph.apply(takeRowsOp, { from, rows: tokens.ids, into: variables.gradientOf(tokens.rows) });
  }
  const norm = updateGroups(graph, groups, squareSumOf(variables), options.optimizer.maxGradNorm);
  if (tokens) putTokens(graph, tokens);
  graph.result('gradientNorm', norm);
  graph.result('sums', sumsOf(variables, options));
  if (options.balances) graph.result('balance', balanceSumOf(variables));
  return graph;
}
