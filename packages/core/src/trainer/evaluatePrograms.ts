/** What an objective is given to write its programs with, and the programs that only measure. */
import {
  type ActivationType,
  adaptMatrix,
  Graph,
  rowScores,
  scale,
  type Tensor,
  type Variables,
} from '@anneal/kernels';
import { adaptHeadProgram } from '../models/adapters/lora.ts';
import type { ModelConfig } from '../models/config.ts';
import { decoder } from '../models/layers/decoder.ts';
import { type Head, ModelScope } from '../models/layers/modelScope.ts';
import type { WeightOptions } from '../models/layers/scopeWeights.ts';
import { labelLogps } from '../objectives/labels.ts';
import type { ModelPass, Objective, ObjectiveContext } from '../objectives/objective.ts';

export interface EvaluateProgramOptions {
  readonly config: ModelConfig;
  readonly weights: WeightOptions;
  readonly activationType: ActivationType;
  readonly logitRows: number;
  readonly objective: Objective;
}

/** Adds to the sums, and tells of the single rows. */
export function evaluateProgram(variables: Variables, options: EvaluateProgramOptions): Graph {
  const graph = new Graph('evaluate', variables, options.activationType);
  const { sums, rows } = options.objective.evaluate(contextOf(graph, sumsOf(variables, options), options));
  graph.result('sums', sums);
  graph.result('rows', rows);
  return graph;
}

/** Of evaluations outside a run: what puts the output layer's adapter, once it is in the engine, where losses read it. */
export function adaptHeadPrograms(
  variables: Variables,
  { config, weights, activationType }: Pick<EvaluateProgramOptions, 'config' | 'weights' | 'activationType'>,
): Graph[] {
  const graph = new Graph(adaptHeadProgram, variables, activationType);
  const head = new ModelScope(graph, config, weights).adaptedHead();
  if (head) adaptMatrix(graph, head);
  return head ? [graph] : [];
}

/** What the batches of a step, or of an evaluation, add up; the loss first. */
export function sumsOf(variables: Variables, { objective }: Pick<EvaluateProgramOptions, 'objective'>): Tensor {
  return variables.get('sums', { shape: [objective.sumCount], dtype: 'f64', kind: 'state' });
}

/** @param sums what the batches add to */
export function contextOf(
  graph: Graph,
  sums: Tensor,
  { config, weights, logitRows, objective: { temperature = 1 } }: EvaluateProgramOptions,
): ObjectiveContext {
  const inputs = batchInputs(graph);
  const hidden = (how: WeightOptions) => {
    const scope = new ModelScope(graph, config, how);
    return { scope, hidden_TD: decoder(scope, inputs).hidden };
  };
  const through = (how: WeightOptions): ModelPass => {
    const { scope, hidden_TD } = hidden(how);
    return { head: tempered(scope.head(hidden_TD), temperature), bf16: scope.bf16 };
  };
  return {
    graph,
    sums,
    logitRows,
    policy: () => through(weights),
    scores: (rows) => {
      const { scope, hidden_TD } = hidden(weights);
      return rowScores(hidden_TD, scope.scoreWeight(), rows);
    },
    reference: () => {
      if (!weights.lora) return graph.input(referenceInput, 'f32', ['R']);
      // The base as it is, in layers of their own: what savings say of the trained ones must not touch them.
      const base = {
        ...weights,
        lora: null,
        dropoutSeed: null,
        embeddingNoise: null,
        onRouter: undefined,
        firstLayer: config.layerCount,
      };
      return labelLogps(graph, through(base), logitRows);
    },
  };
}

/** Gives logits divided by the temperature. */
function tempered({ x, weight, softCap }: Head, temperature: number): Head {
  return { x: scale(x, 1 / temperature), weight, softCap: softCap / temperature };
}

/** Log-probabilities of a batch's supervised rows by the model before training, where every weight is trained and so none is left of it. */
export const referenceInput = 'referenceLogps';

function batchInputs(graph: Graph) {
  return {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) } as const,
  };
}
