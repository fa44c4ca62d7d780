import { type RopeTable, ropeTable, type Tensor } from '@anneal/kernels';
import type { ModelConfig } from '../config.ts';
import { inverseFrequencies, type RopeConfig } from '../rope.ts';
import type { ModelScope } from './modelScope.ts';
import type { Visibility } from './visibility.ts';

/** By what a layer turns its queries and its keys. */
export interface RopeTables {
  readonly queries: RopeTable;
  readonly keys: RopeTable;
}

/** The beginning of the names of the variables that hold inverse frequencies. */
const variable = { full: 'rope.inverse_frequencies', sliding: 'rope.sliding_inverse_frequencies' } as const;
type Kind = keyof typeof variable;
const longVariable = (kind: Kind): string => `${variable[kind]}_long`;

/** What each of the variables has to hold, [rotarySize / 2]. */
export function ropeVariables(config: ModelConfig): ReadonlyMap<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const kind of kindsOf(config)) {
    const { inverse, long } = inverseFrequencies(rotarySizeOf(config, kind), ropeOf(config, kind));
    values.set(variable[kind], inverse);
    if (long) values.set(longVariable(kind), long);
  }
  return values;
}

/** The tables of every layer; null for one that has no positions. */
export function ropeTables(
  m: ModelScope,
  positions: Tensor,
  visible: Visibility,
): (layer: number) => RopeTables | null {
  const tables = new Map([...kindsOf(m.config)].map((kind) => [kind, tablesOf(m, kind, positions, visible)] as const));
  return (layer) => (m.config.hasRope[layer] ? (tables.get(kindOf(m.config, layer)) ?? null) : null);
}

function kindOf({ slidingRope, slidingWindow }: ModelConfig, layer: number): Kind {
  return slidingRope && slidingWindow[layer] !== null ? 'sliding' : 'full';
}

function kindsOf(config: ModelConfig): ReadonlySet<Kind> {
  return new Set(config.hasRope.flatMap((isTurned, layer) => (isTurned ? [kindOf(config, layer)] : [])));
}

function ropeOf(config: ModelConfig, kind: Kind): RopeConfig {
  return kind === 'sliding' && config.slidingRope ? config.slidingRope : config.rope;
}

/** Heads of layers without a window may be larger, and are turned whole. */
function rotarySizeOf({ globalAttention, rotarySize }: ModelConfig, kind: Kind): number {
  return (kind === 'full' ? globalAttention?.headSize : undefined) ?? rotarySize;
}

function tablesOf(m: ModelScope, kind: Kind, positions: Tensor, visible: Visibility): RopeTables {
  const { queryScaling } = m.config;
  const rotarySize = rotarySizeOf(m.config, kind);
  const rope = ropeOf(m.config, kind);
  const { attentionScale } = inverseFrequencies(rotarySize, rope);
  const held = (name: string): Tensor =>
    m.graph.variables.get(name, { shape: [rotarySize / 2], dtype: 'f32', kind: 'state' });
  const inverse = held(variable[kind]);
  const { scaling } = rope;
  const cuSeqlens = visible.kind === 'packed' ? visible.cuSeqlens : null;
  const long =
    scaling?.kind === 'longrope'
      ? { inverse: held(longVariable(kind)), original: scaling.originalMaxPositions, cuSeqlens }
      : scaling?.kind === 'dynamic'
        ? { factor: scaling.factor, original: scaling.originalMaxPositions, cuSeqlens }
        : null;
  const keys = ropeTable(positions, inverse, attentionScale, { long });
  if (!queryScaling) return { queries: keys, keys };
  const scaled = { beta: queryScaling.beta, original: queryScaling.originalMaxPositions };
  return { queries: ropeTable(positions, inverse, attentionScale, { queryScaling: scaled }), keys };
}
