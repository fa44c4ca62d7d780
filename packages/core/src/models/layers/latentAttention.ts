import { latentKeysValues, rope, splitColumns, type Tensor, trimHeads } from '@anneal/kernels';
import type { LatentAttentionConfig } from '../config.ts';
import { attend } from './attention.ts';
import type { ModelScope } from './modelScope.ts';
import type { RopeTables } from './ropeTables.ts';
import type { Visibility } from './visibility.ts';

/**
 * Multi-head latent attention (DeepSeek-AI 2024): [latent shared] = kv_a(x), and kv_b(norm(latent)) is, head by head, a part of the key and the
 * value; the rest of a key is `shared`, turned, in all heads. The cache holds keys and values, not what they are made of. Values are as large as keys,
 * with zeros, in attention: what its output's linear, o, takes is without these.
 */
export function latentAttention(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  tables: RopeTables | null,
  visible: Visibility,
): Tensor {
  const { headCount: heads, headSize, rotarySize, rotaryPairs, latentAttention: latent } = m.config;
  if (!latent || !tables) throw new Error('latent attention turns a part of its heads');
  const name = (part: string) => `layers.${layer}.${part}`;
  const { q: q_TQ, kv: kv_TE } = queriesAndLatent(m, name, x_TD, latent);
  const interleaved = rotaryPairs === 'neighbors';
  const [latent_TI, shared_TR] = splitColumns(kv_TE, latent.kvRank);
  const up_TE = m.linear(m.norm(latent_TI, name('kv_a_norm')), name('kv_b'));
  const turned_TR = rope(shared_TR, tables.keys, { interleaved });
  const { keys, values } = latentKeysValues(up_TE, turned_TR, { heads, valueSize: latent.valueSize });
  const q = rope(q_TQ, tables.queries, { size: headSize, interleaved, first: headSize - rotarySize });
  const out_TQ = attend(m, layer, { q, k: keys, v: values }, visible);
  return latent.valueSize === headSize ? out_TQ : trimHeads(out_TQ, { size: headSize, kept: latent.valueSize });
}

function queriesAndLatent(
  m: ModelScope,
  name: (part: string) => string,
  x_TD: Tensor,
  { queryRank }: LatentAttentionConfig,
): { readonly q: Tensor; readonly kv: Tensor } {
  const [first, kv] = m.project(x_TD, [name(queryRank === null ? 'q' : 'q_a'), name('kv_a')]);
  return { q: queryRank === null ? first : m.linear(m.norm(first, name('q_a_norm')), name('q_b')), kv };
}
