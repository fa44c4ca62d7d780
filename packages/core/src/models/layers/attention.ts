import {
  attention,
  attentionCached,
  attentionOverCache,
  type MergedProjection,
  qkvRope,
  type RopeTable,
  rope,
  sigmoidGate,
  splitGate,
  splitQkv,
  type Tensor,
} from '@anneal/kernels';
import { headsOf, keySource, keysAreValues } from '../config.ts';
import type { ModelScope } from './modelScope.ts';
import type { RopeTables } from './ropeTables.ts';
import type { Visibility } from './visibility.ts';

export interface KeysValues {
  readonly k: Tensor;
  readonly v: Tensor;
}

/**
 * Grouped-query self-attention: what its output's linear, o, takes. `tables`: null where positions are not told. `made`: keys and values of the
 * layers before, to which this adds its own, and which later ones may take.
 */
export function selfAttention(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  tables: RopeTables | null,
  visible: Visibility,
  made: Map<number, KeysValues>,
): Tensor {
  const shared = made.get(keySource(m.config, layer));
  if (shared) return attend(m, layer, { ...shared, q: queriesAlone(m, layer, x_TD, tables) }, visible);
  const { q, k, v, gate: gate_TQ } = queriesKeysValues(m, layer, x_TD, tables);
  made.set(layer, { k, v });
  const out_TQ = attend(m, layer, { q, k, v }, visible);
  return gate_TQ ? sigmoidGate(out_TQ, gate_TQ) : out_TQ;
}

/** Attention of all heads, as wide as the queries. */
export function attend(
  m: ModelScope,
  layer: number,
  { q: q_TQ, k: k_TK, v: v_TK }: KeysValues & { readonly q: Tensor },
  visible: Visibility,
): Tensor {
  const { config } = m;
  const { kvHeadCount, headSize } = headsOf(config, layer);
  const options = {
    heads: config.headCount,
    kvHeads: kvHeadCount,
    headSize,
    scale: config.attentionScale,
    window: config.slidingWindow[layer] ?? 0,
    softCap: config.attentionSoftCap,
    sinks: config.attentionSinks ? m.weight(`layers.${layer}.sinks`) : undefined,
  };
  if (visible.kind === 'packed') return attention(q_TQ, k_TK, v_TK, visible.cuSeqlens, { ...options, bf16: m.bf16 });
  const source = keySource(config, layer);
  if (source !== layer) return attentionOverCache(q_TQ, visible.cacheOf(source), visible, options);
  return attentionCached(q_TQ, k_TK, v_TK, visible.cacheOf(layer), visible, options);
}

interface Projected {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** What the output is multiplied by the sigmoid of. */
  readonly gate: Tensor | null;
}

/** Queries and keys normed, where the model does that, and rotated. By one product and one launch where that can be. */
function queriesKeysValues(m: ModelScope, layer: number, x_TD: Tensor, tables: RopeTables | null): Projected {
  if (keysAreValues(m.config, layer)) return queriesKeys(m, layer, x_TD, tables);
  const name = (part: string) => `layers.${layer}.${part}`;
  const { qkNorm, rmsNormEps: eps, normOffset: offset, headCount: heads, valueNorm } = m.config;
  const { kvHeadCount: kvHeads, headSize } = headsOf(m.config, layer);
  const ofValues = (v: Tensor): Tensor => (valueNorm ? m.plainNorm(v, headSize) : v);
  const norms = qkNorm ? { q: m.weight(name('q_norm')), k: m.weight(name('k_norm')), eps, offset } : null;
  const areTurnedTogether = turnsWholeHeads(m, tables) && norms?.q.kind !== 'parameter';
  const names = [name('q'), name('k'), name('v')] as const;
  const qkv_TE = mergedQkv(m, name, x_TD, names, areTurnedTogether);
  if (qkv_TE && tables && areTurnedTogether) {
    const { q, k, v } = qkvRope(qkv_TE, tables.keys, { heads, kvHeads, norms });
    return { q, k, v: ofValues(v), gate: null };
  }
  const [q_TE, k_TK, v_TK] = qkv_TE ? parts(splitQkv(qkv_TE, { heads, kvHeads })) : m.project(x_TD, names);
  const { q: q_TQ, gate } = m.config.attentionGate ? splitGate(q_TE, headSize) : { q: q_TE, gate: null };
  const q = turned(m, layer, q_TQ, 'q_norm', tables?.queries);
  return { q, k: turned(m, layer, k_TK, 'k_norm', tables?.keys), v: ofValues(v_TK), gate };
}

/** The same of a layer whose values are what its keys are made of. */
function queriesKeys(m: ModelScope, layer: number, x_TD: Tensor, tables: RopeTables | null): Projected {
  const [q_TQ, k_TK] = m.project(x_TD, [`layers.${layer}.q`, `layers.${layer}.k`]);
  return {
    q: turned(m, layer, q_TQ, 'q_norm', tables?.queries),
    k: turned(m, layer, k_TK, 'k_norm', tables?.keys),
    v: m.config.valueNorm ? m.plainNorm(k_TK, headsOf(m.config, layer).headSize) : k_TK,
    gate: null,
  };
}

/** Of a layer that takes the keys of another. */
function queriesAlone(m: ModelScope, layer: number, x_TD: Tensor, tables: RopeTables | null): Tensor {
  return turned(m, layer, m.linear(x_TD, `layers.${layer}.q`), 'q_norm', tables?.queries);
}

/** Queries or keys, normed where the model does that, and rotated where there is a table. */
function turned(m: ModelScope, layer: number, y: Tensor, norm: string, table: RopeTable | undefined): Tensor {
  const { qkNorm, rotaryPairs } = m.config;
  const normed = qkNorm ? m.norm(y, `layers.${layer}.${norm}`) : y;
  const { headSize: size } = headsOf(m.config, layer);
  return table ? rope(normed, table, { size, interleaved: rotaryPairs === 'neighbors' }) : normed;
}

/** All that qkv_rope does: whole heads, in halves, normed each by itself, queries as keys. */
function turnsWholeHeads({ config }: ModelScope, tables: RopeTables | null): boolean {
  const { rotarySize, headSize, rotaryPairs, qkNorm, attentionGate } = config;
  const isPlain = rotarySize === headSize && rotaryPairs === 'halves' && qkNorm !== 'all_heads' && !attentionGate;
  return isPlain && tables !== null && tables.queries === tables.keys;
}

/** [q k v] as one tensor, where a model has them so or `wanted`, and it can be. */
function mergedQkv(
  m: ModelScope,
  name: (part: string) => string,
  x_TD: Tensor,
  names: readonly string[],
  wanted: boolean,
): MergedProjection | null {
  if (m.config.fusedQkv) return { y: m.linear(x_TD, name('qkv')), added: null };
  return wanted ? m.projectMerged(x_TD, names) : null;
}

function parts({ q, k, v }: { q: Tensor; k: Tensor; v: Tensor }): [Tensor, Tensor, Tensor] {
  return [q, k, v];
}
