import {
  add,
  addToStreams,
  joinColumns,
  matchMagnitude,
  mixStreams,
  type Streams,
  scale,
  softCap,
  type Tensor,
} from '@anneal/kernels';
import type { AltUpConfig } from '../config.ts';
import { altUpLinears } from '../tensors.ts';
import type { ModelScope } from './modelScope.ts';
import { columnParts, gatedInput } from './perLayerInputs.ts';

/** All streams of a model: there is more than one. */
type AllStreams = Streams & { readonly others: Tensor };

/** The least square of a magnitude that is divided by. */
const LEAST_SQUARE = 1e-5;

/** The embeddings, and projections of them that are as large. */
export function spreadStreams(m: ModelScope, altUp: AltUpConfig, h_TD: Tensor): AllStreams {
  const others = m.project(h_TD, altUpLinears(altUp, 'in')).reduce(joinColumns);
  return { first: h_TD, others: matchMagnitude(others, h_TD, LEAST_SQUARE) };
}

/** The mean of the first stream and of projections of the others that are as large. */
export function joinStreams(m: ModelScope, { first, others }: AllStreams): Tensor {
  const altUp = altUpOf(m);
  const each = columnParts(others, altUp.streams - 1, m.config.hiddenSize);
  const projected = altUpLinears(altUp, 'out').map((name, i) => m.linear(each[i] as Tensor, name));
  const like = projected.map((stream) => matchMagnitude(stream, first, LEAST_SQUARE));
  return scale(like.reduce(add, first), 1 / altUp.streams);
}

/** [first others] */
export function besideEachOther({ first, others }: AllStreams): Tensor {
  return joinColumns(first, others);
}

/** Predicts all streams, computes the first, and corrects them by how far that is from its prediction. @param compute what the layer makes of a stream */
export function altUpLayer(
  m: ModelScope,
  layer: number,
  streams: AllStreams,
  input: Tensor,
  compute: (x_TD: Tensor) => Tensor,
): AllStreams {
  const { streams: count } = altUpOf(m);
  const name = (part: string) => `layers.${layer}.altup_${part}`;
  const predicted = mixStreams(streams, m.linear(routed(m, layer, streams.first), name('predict')), count);
  const h_TD = compute(predicted.first);
  const news = add(h_TD, scale(predicted.first, -1));
  const added = mixStreams({ first: news, others: null }, m.linear(routed(m, layer, h_TD), name('correct')), count);
  const first = add(predicted.first, added.first);
  const others = add(predicted.others, added.others);
  const scaled = m.scaleColumns(first, name('scale'));
  return { first, others: addToStreams(others, gatedInput(m, layer, scaled, input)) };
}

/** tanh(router(norm(x) / D)) */
function routed(m: ModelScope, layer: number, x_TD: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.altup_${part}`;
  const normed = scale(m.norm(x_TD, name('router_norm')), 1 / m.config.hiddenSize);
  return softCap(m.linear(normed, name('router')), 1);
}

/** (h + a + norm(right(left(a)))) / √2, of the residual after attention and what attention read. */
export function addLaurel(m: ModelScope, layer: number, h_TD: Tensor, a_TD: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.laurel_${part}`;
  const low = m.norm(m.linear(m.linear(a_TD, name('left')), name('right')), name('norm'));
  return scale(add(h_TD, add(a_TD, low)), Math.SQRT1_2);
}

function altUpOf({ config: { altUp } }: ModelScope): AltUpConfig {
  if (!altUp) throw new Error('streams of a model that has one');
  return altUp;
}
