import { type ActivationType, chooseToken, Graph, gatherRows, splitColumns, type Variables } from '@anneal/kernels';
import { carriesState, headsOf, type ModelConfig, readableTokens } from '../models/config.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import type { WeightOptions } from '../models/layers/scopeWeights.ts';

export interface DecodeOptions {
  readonly config: ModelConfig;
  readonly weights: WeightOptions;
  readonly activationType: ActivationType;
  /** Tokens the cache of keys and values holds: prompt and answer together, of all sequences that share it. */
  readonly contextLength: number;
  /** Sequences that the cache has states for, where layers carry them: each of `several` has one of its own. 1 where nothing is said. */
  readonly states?: number | undefined;
  /** Several sequences beside each other: each call says where they lie in the cache. */
  readonly several?: boolean | undefined;
  /** Has C next tokens as a result, too, each from a row of the logits, which a GPU need not hand over then. */
  readonly chooses?: boolean | undefined;
  /** Programs of one name here share a cache. */
  readonly cache?: string | undefined;
}

/** Of programs that do not run beside each other. */
export const sharedCache = 'cache';

/** Of a program that has one for itself. */
export const ownCache = (program: string): string => `cache of ${program}`;

/**
 * Reads T new tokens of one sequence, or of `several`, appends their keys and values to the cache, goes on with its states, and gives the logits [N, V] at `rows`, of
 * tokens that it could read next.
 * With T = 1 it decodes, with more it reads a prompt.
 */
export function decodeProgram(
  name: string,
  variables: Variables,
  {
    config,
    weights,
    activationType,
    contextLength,
    states = 1,
    several = false,
    chooses = false,
    cache = sharedCache,
  }: DecodeOptions,
): Graph {
  const graph = new Graph(name, variables, activationType);
  const scope = new ModelScope(graph, config, { ...weights, fewRows: true });
  const positions = graph.input('positions', 'i32', ['T']);
  const cacheOf = (layer: number) => {
    const { kvHeadCount, headSize } = headsOf(config, layer);
    const get = (what: string) =>
      variables.get(`${cache}/layers.${layer}.${what}`, {
        shape: [contextLength, kvHeadCount * headSize],
        dtype: weights.type,
        kind: 'cache',
      });
    return { keys: get('keys'), values: get('values') };
  };
  const stateOf = (layer: number, what: string, [rows, columns]: readonly [number, number]) =>
    variables.get(`${cache}/layers.${layer}.${what}`, { shape: [states * rows, columns], dtype: 'f32', kind: 'cache' });
  const { hidden: hidden_TD } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions,
    visible: {
      kind: 'cached',
      positions,
      sequences: several ? graph.input('sequences', 'i32', ['N', 4]) : undefined,
      slots: several && carriesState(config) ? graph.input('slots', 'i32', ['N', 3]) : undefined,
      cacheOf,
      stateOf,
    },
  });
  const all_NV = scope.logits(gatherRows(hidden_TD, graph.input('rows', 'i32', ['N'])));
  const readable = readableTokens(config);
  const logits_NV = readable < config.vocabSize ? splitColumns(all_NV, readable)[0] : all_NV;
  graph.result('logits', logits_NV);
  if (chooses) {
    const how = {
      rows: graph.input('choices', 'i32', ['C']),
      draws: graph.input('draws', 'f64', ['C']),
      sampling: graph.input('sampling', 'f64', [4]),
    };
    graph.result('chosen', chooseToken(logits_NV, how));
  }
  return graph;
}
