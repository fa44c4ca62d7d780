import { type AltUpConfig, type ExpertsConfig, headsOf, keySource, keysAreValues, type ModelConfig } from './config.ts';

/** The linear layers of a block, which can carry an adapter, in the order of their use. */
export function blockLinears(config: ModelConfig, layer: number): string[] {
  const laurel = config.altUp ? ['laurel_left', 'laurel_right'] : [];
  const perLayer = config.perLayerInputs ? ['per_layer_gate', 'per_layer_out'] : [];
  return [...mixerLinears(config, layer), ...laurel, ...mlpLinears(config, layer), ...perLayer];
}

/** Outside the layers: those that make each further stream of the embeddings, or make one of all. */
export function altUpLinears({ streams }: AltUpConfig, way: 'in' | 'out'): string[] {
  return Array.from({ length: streams - 1 }, (_, i) => `altup_${way}_${i + 1}`);
}

function mlpLinears(config: ModelConfig, layer: number): string[] {
  if (hasMlp(config, layer)) return [...(config.fusedGateUp ? ['gate_up'] : ['gate', 'up']), 'down'];
  return config.experts?.shared ? ['shared_gate', 'shared_up', 'shared_down'] : [];
}

function mixerLinears(config: ModelConfig, layer: number): string[] {
  if (config.mixers[layer] === 'short_conv') return ['conv_in', 'conv_out'];
  if (config.mixers[layer] === 'gated_delta') return ['delta_qkv', 'delta_z', 'delta_b', 'delta_a', 'delta_out'];
  if (config.mixers[layer] === 'state_space') return ['ssm_in', 'ssm_out'];
  if (config.mixers[layer] === 'latent_attention') {
    return [...(config.latentAttention?.queryRank ? ['q_a', 'q_b'] : ['q']), 'kv_a', 'kv_b', 'o'];
  }
  if (config.fusedQkv) return ['qkv', 'o'];
  const own = keySource(config, layer) === layer ? ['k', ...(keysAreValues(config, layer) ? [] : ['v'])] : [];
  return ['q', ...own, 'o'];
}

/** By its own names, not those of one that experts share. */
function hasMlp(config: ModelConfig, layer: number): boolean {
  const { besideMlp = false, shared } = config.experts ?? {};
  return !hasExperts(config, layer) || besideMlp || shared?.isMlp === true;
}

export function hasExperts({ experts }: ModelConfig, layer: number): boolean {
  return experts?.layers[layer] ?? false;
}

/** The matrices of a block that hold those of all its experts, one behind the other. */
export function expertMatrices(config: ModelConfig, layer: number): string[] {
  return hasExperts(config, layer) ? ['experts_gate_up', 'experts_down'] : [];
}

/** Every tensor the model has, by our name, with its shape: rows are outputs, columns inputs. */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize, vocabSize } = config;
  const shapes = new Map<string, readonly number[]>([['embed', [vocabSize, hiddenSize]]]);
  addPerLayerInputs(config, shapes);
  for (const way of ['in', 'out'] as const)
    for (const name of config.altUp ? altUpLinears(config.altUp, way) : []) shapes.set(name, [hiddenSize, hiddenSize]);
  for (let layer = 0; layer < config.layerCount; layer++) {
    const add: AddTensor = (name, ...shape) => shapes.set(`layers.${layer}.${name}`, shape);
    if (config.norms !== 'after') add('attention_norm', hiddenSize);
    if (config.mixers[layer] === 'short_conv') addShortConv(config, add);
    else if (config.mixers[layer] === 'gated_delta') addGatedDelta(config, add);
    else if (config.mixers[layer] === 'state_space') addStateSpace(config, add);
    else if (config.mixers[layer] === 'latent_attention') addLatentAttention(config, add);
    else addAttention(config, layer, add);
    if (config.norms !== 'before') add('attention_post_norm', hiddenSize);
    if (config.norms !== 'after') add('mlp_norm', hiddenSize);
    if (config.experts && hasExperts(config, layer)) addExperts(config, config.experts, add);
    if (hasMlp(config, layer)) addMlp(config, layer, add);
    if (config.norms !== 'before') add('mlp_post_norm', hiddenSize);
    if (config.perLayerInputs) {
      add('per_layer_gate', config.perLayerInputs.size, hiddenSize);
      add('per_layer_out', hiddenSize, config.perLayerInputs.size);
      add('per_layer_post_norm', hiddenSize);
    }
    if (config.altUp) addAltUp(config, config.altUp, add);
    if (config.layerScale) add('layer_scale', 1);
  }
  shapes.set('final_norm', [hiddenSize]);
  if (config.scoreHead) shapes.set('score', [1, hiddenSize]);
  else if (!config.tieWordEmbeddings) shapes.set('lm_head', [vocabSize, hiddenSize]);
  return shapes;
}

type AddTensor = (name: string, ...shape: number[]) => unknown;

function addExperts({ hiddenSize }: ModelConfig, experts: ExpertsConfig, add: AddTensor): void {
  const { count, intermediateSize: width, bias, sigmoid, besideMlp, shared } = experts;
  add('router', count, hiddenSize);
  add('experts_gate_up', count * 2 * width, hiddenSize);
  add('experts_down', count * hiddenSize, width);
  if (bias) {
    add('router_bias', count);
    add('experts_gate_up_bias', count * 2 * width);
    add('experts_down_bias', count * hiddenSize);
  }
  if (sigmoid) add('router_correction', count);
  if (besideMlp) {
    add('router_scale', hiddenSize);
    add('router_expert_scale', count);
    add('mlp_own_norm', hiddenSize);
    add('experts_norm', hiddenSize);
    add('experts_post_norm', hiddenSize);
  }
  if (!shared || shared.isMlp) return;
  if (shared.gated) add('shared_expert_gate', 1, hiddenSize);
  add('shared_gate', shared.intermediateSize, hiddenSize);
  add('shared_up', shared.intermediateSize, hiddenSize);
  add('shared_down', hiddenSize, shared.intermediateSize);
}

function addAltUp({ hiddenSize }: ModelConfig, { streams, laurelRank }: AltUpConfig, add: AddTensor): void {
  add('altup_router_norm', hiddenSize);
  add('altup_router', streams, hiddenSize);
  add('altup_predict', streams * streams, streams);
  add('altup_correct', streams, streams);
  add('altup_scale', hiddenSize);
  add('laurel_left', laurelRank, hiddenSize);
  add('laurel_right', hiddenSize, laurelRank);
  add('laurel_norm', hiddenSize);
}

/** A table with what every token has for each layer, all of these beside each other. */
function addPerLayerInputs(
  { hiddenSize, layerCount, perLayerInputs }: ModelConfig,
  shapes: Map<string, readonly number[]>,
): void {
  if (!perLayerInputs) return;
  shapes.set('per_layer_embed', [perLayerInputs.vocabSize, layerCount * perLayerInputs.size]);
  shapes.set('per_layer_projection', [layerCount * perLayerInputs.size, hiddenSize]);
  shapes.set('per_layer_projection_norm', [perLayerInputs.size]);
}

function addMlp({ hiddenSize, fusedGateUp, mlpBias, ...config }: ModelConfig, layer: number, add: AddTensor): void {
  const { keySharing } = config;
  const width = keySharing && layer >= keySharing.from ? keySharing.intermediateSize : config.intermediateSize;
  if (fusedGateUp) {
    add('gate_up', 2 * width, hiddenSize);
  } else {
    add('gate', width, hiddenSize);
    add('up', width, hiddenSize);
  }
  add('down', hiddenSize, width);
  if (mlpBias) {
    add('gate_bias', width);
    add('up_bias', width);
    add('down_bias', hiddenSize);
  }
}

/** One product gives what keys and values are made of, and the part of keys that all heads share. */
function addLatentAttention(config: ModelConfig, add: AddTensor): void {
  const { hiddenSize, headCount, headSize, rotarySize, latentAttention } = config;
  if (latentAttention === null) throw new Error('latent attention without its ranks');
  const { queryRank, kvRank, valueSize } = latentAttention;
  if (queryRank === null) {
    add('q', headCount * headSize, hiddenSize);
  } else {
    add('q_a', queryRank, hiddenSize);
    add('q_a_norm', queryRank);
    add('q_b', headCount * headSize, queryRank);
    if (config.attentionBias) add('q_a_bias', queryRank);
  }
  add('kv_a', kvRank + rotarySize, hiddenSize);
  add('kv_a_norm', kvRank);
  add('kv_b', headCount * (headSize - rotarySize + valueSize), kvRank);
  add('o', hiddenSize, headCount * valueSize);
  if (config.attentionBias) add('kv_a_bias', kvRank + rotarySize);
  if (config.outputBias) add('o_bias', hiddenSize);
}

function addAttention(config: ModelConfig, layer: number, add: AddTensor): void {
  const { hiddenSize } = config;
  const { headSize, kvHeadCount } = headsOf(config, layer);
  const queryRows = config.headCount * headSize;
  const keyRows = kvHeadCount * headSize;
  const hasKeys = keySource(config, layer) === layer;
  if (config.fusedQkv) {
    add('qkv', queryRows + 2 * keyRows, hiddenSize);
  } else {
    add('q', config.attentionGate ? 2 * queryRows : queryRows, hiddenSize);
    if (hasKeys) add('k', keyRows, hiddenSize);
    if (hasKeys && !keysAreValues(config, layer)) add('v', keyRows, hiddenSize);
  }
  add('o', hiddenSize, queryRows);
  if (config.attentionBias) {
    add('q_bias', queryRows);
    add('k_bias', keyRows);
    add('v_bias', keyRows);
  }
  if (config.outputBias) add('o_bias', hiddenSize);
  if (config.attentionSinks) add('sinks', config.headCount);
  if (config.qkNorm) {
    const eachHead = config.qkNorm === 'each_head';
    add('q_norm', eachHead ? headSize : queryRows);
    if (hasKeys) add('k_norm', eachHead ? headSize : keyRows);
  }
}

/** The kernel of a convolution has a middle extent of 1, as PyTorch has it where each channel is convolved by itself. */
function addShortConv({ hiddenSize, shortConvSize }: ModelConfig, add: AddTensor): void {
  if (shortConvSize === null) throw new Error('a short convolution without a size');
  add('conv_in', 3 * hiddenSize, hiddenSize);
  add('conv', hiddenSize, 1, shortConvSize);
  add('conv_out', hiddenSize, hiddenSize);
}

function addGatedDelta({ hiddenSize, gatedDelta }: ModelConfig, add: AddTensor): void {
  if (gatedDelta === null) throw new Error('a gated delta rule without heads');
  const { keyHeads, keySize, valueHeads, valueSize, convSize } = gatedDelta;
  const columns = 2 * keyHeads * keySize + valueHeads * valueSize;
  add('delta_qkv', columns, hiddenSize);
  add('delta_z', valueHeads * valueSize, hiddenSize);
  add('delta_b', valueHeads, hiddenSize);
  add('delta_a', valueHeads, hiddenSize);
  add('delta_conv', columns, 1, convSize);
  add('delta_decay', valueHeads);
  add('delta_shift', valueHeads);
  add('delta_norm', valueSize);
  add('delta_out', hiddenSize, valueHeads * valueSize);
}

/** One product gives the gate, [x B C] and the steps. */
function addStateSpace({ hiddenSize, stateSpace }: ModelConfig, add: AddTensor): void {
  if (stateSpace === null) throw new Error('a state space layer without heads');
  const { heads, headSize, groups, stateSize, convSize, convBias } = stateSpace;
  const inner = heads * headSize;
  const columns = inner + 2 * groups * stateSize;
  add('ssm_in', inner + columns + heads, hiddenSize);
  add('ssm_conv', columns, 1, convSize);
  if (convBias) add('ssm_conv_bias', columns);
  add('ssm_dt_bias', heads);
  add('ssm_decay', heads);
  add('ssm_skip', heads);
  add('ssm_norm', inner);
  add('ssm_out', hiddenSize, inner);
}
