import {
  attention,
  attentionCached,
  type MergedProjection,
  qkvRope,
  type RopeTable,
  rope,
  sigmoidGate,
  splitGate,
  splitQkv,
  type Tensor,
} from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';
import type { RopeTables } from './ropeTables.ts';

/** What the tokens of a call attend to: each other within documents, or everything in a cache. */
export type Visibility =
  | { readonly kind: 'packed'; readonly cuSeqlens: Tensor }
  | {
      readonly kind: 'cached';
      readonly positions: Tensor;
      /** i32[N,4], where several sequences share the cache: as `attentionCached` takes them. */
      readonly sequences: Tensor | undefined;
      readonly cacheOf: (layer: number) => { keys: Tensor; values: Tensor };
      /** float32 that a layer carries from token to token: of one sequence. */
      readonly stateOf: (layer: number, name: string, shape: readonly number[]) => Tensor;
    };

/** Grouped-query self-attention: what its output's linear, o, takes. `tables`: null where positions are not told. */
export function selfAttention(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  tables: RopeTables | null,
  visible: Visibility,
): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const { gate: gate_TQ, ...projected } = queriesKeysValues(m, name, x_TD, tables);
  const out_TQ = attend(m, layer, projected, visible);
  return gate_TQ ? sigmoidGate(out_TQ, gate_TQ) : out_TQ;
}

/** Attention of all heads, as wide as the queries. */
export function attend(
  m: ModelScope,
  layer: number,
  { q: q_TQ, k: k_TK, v: v_TK }: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor },
  visible: Visibility,
): Tensor {
  const { config } = m;
  const options = {
    heads: config.headCount,
    kvHeads: config.kvHeadCount,
    headSize: config.headSize,
    scale: config.attentionScale,
    window: config.slidingWindow[layer] ?? 0,
    softCap: config.attentionSoftCap,
    sinks: config.attentionSinks ? m.weight(`layers.${layer}.sinks`) : undefined,
  };
  return visible.kind === 'packed'
    ? attention(q_TQ, k_TK, v_TK, visible.cuSeqlens, { ...options, bf16: m.bf16 })
    : attentionCached(q_TQ, k_TK, v_TK, visible.cacheOf(layer), visible, options);
}

interface Projected {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** What the output is multiplied by the sigmoid of. */
  readonly gate: Tensor | null;
}

/** Queries and keys normed, where the model does that, and rotated. By one product and one launch where that can be. */
function queriesKeysValues(
  m: ModelScope,
  name: (part: string) => string,
  x_TD: Tensor,
  tables: RopeTables | null,
): Projected {
  const { qkNorm, rmsNormEps: eps, normOffset: offset, headCount: heads, kvHeadCount: kvHeads, headSize } = m.config;
  const norms = qkNorm ? { q: m.weight(name('q_norm')), k: m.weight(name('k_norm')), eps, offset } : null;
  const areTurnedTogether = turnsWholeHeads(m, tables) && norms?.q.kind !== 'parameter';
  const names = [name('q'), name('k'), name('v')] as const;
  const qkv_TE = mergedQkv(m, name, x_TD, names, areTurnedTogether);
  if (qkv_TE && tables && areTurnedTogether)
    return { ...qkvRope(qkv_TE, tables.keys, { heads, kvHeads, norms }), gate: null };
  const [q_TE, k_TK, v_TK] = qkv_TE ? parts(splitQkv(qkv_TE, { heads, kvHeads })) : m.project(x_TD, names);
  const { q: q_TQ, gate } = m.config.attentionGate ? splitGate(q_TE, headSize) : { q: q_TE, gate: null };
  const turned = (y: Tensor, norm: string, table: RopeTable | undefined) => {
    const normed = norms ? m.norm(y, name(norm)) : y;
    return table ? rope(normed, table, { size: headSize, interleaved: m.config.rotaryPairs === 'neighbors' }) : normed;
  };
  return { q: turned(q_TQ, 'q_norm', tables?.queries), k: turned(k_TK, 'k_norm', tables?.keys), v: v_TK, gate };
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
