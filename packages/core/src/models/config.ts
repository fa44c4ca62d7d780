import type { ExpertActivation, GateActivation } from '@anneal/kernels';
import type { QueryScaling, RopeConfig } from './rope.ts';

/** A mixture of experts: a router sends each token to a few of many small MLPs. */
export interface ExpertsConfig {
  readonly count: number;
  /** Experts that each token goes to. */
  readonly choices: number;
  /** Inner size of each. */
  readonly intermediateSize: number;
  /** What a token's experts give is weighted by the softmax of the chosen logits alone, not of all; of `sigmoid`, by their share. */
  readonly normalized: boolean;
  /** Experts are chosen and weighted by sigmoids, not by a softmax. */
  readonly sigmoid: SigmoidScores | null;
  /** The router and all experts have biases. */
  readonly bias: boolean;
  readonly activation: ExpertActivation | 'gelu_tanh';
  /** Beside the chosen ones there is one that every token goes through. */
  readonly shared: SharedExpert | null;
  /**
   * Experts stand beside the MLP of their layer. What each of both gives is normed, and added. The router reads the residual, normed with weights of
   * its own over √hidden size, and has a factor for what each expert gives.
   */
  readonly besideMlp: boolean;
  /** What config.json asks the balance loss to count; absent where it asks for none. */
  readonly balanceLoss?: number | undefined;
  /** Per layer: it has experts. */
  readonly layers: readonly boolean[];
}

export interface SharedExpert {
  readonly intermediateSize: number;
  /** A gate of its own weighs what it gives. */
  readonly gated: boolean;
  /** It is the MLP that layers without experts have, too, by the same names. */
  readonly isMlp?: boolean;
}

/** A correction is added to what each expert is chosen by, of the groups of experts that are best; it is no parameter. */
export interface SigmoidScores {
  readonly groups: number;
  readonly chosenGroups: number;
  /** What all weights are multiplied by. */
  readonly scale: number;
}

/**
 * Layers in which queries, keys and values come out of projections of low rank (MLA), as in DeepSeek-V3. Heads are as large as their keys, of which
 * the last `rotarySize` values are turned, and are the same in all heads.
 */
export interface LatentAttentionConfig {
  /** Null: queries come straight from the hidden states. */
  readonly queryRank: number | null;
  readonly kvRank: number;
  readonly valueSize: number;
}

/** Attention in layers without a window, where it differs from that in the others. */
export interface GlobalAttention {
  readonly kvHeadCount: number;
  readonly headSize: number;
  /** Values are what keys are made of, before their norm and rope: there is no v. */
  readonly keysAreValues: boolean;
}

/** The last layers have no keys and values of their own: they take those of the last layer before them that has, or has not, a window as they do. */
export interface KeySharing {
  /** The first of them. */
  readonly from: number;
  /** Inner size of their MLP. */
  readonly intermediateSize: number;
}

/** Each layer adds what a table of its own has for the token, and a projection of the embedding, through a gate. */
export interface PerLayerInputs {
  /** Of one layer. */
  readonly size: number;
  /** Rows of the table: tokens of images and sounds, which come last, may have none. */
  readonly vocabSize: number;
}

/**
 * Each layer hands on several streams (AltUp): it predicts all of them from those it gets, computes on the first, and corrects the others by how far
 * it is from its prediction. Beside attention there is a product of low rank (LAuReL).
 */
export interface AltUpConfig {
  readonly streams: number;
  readonly laurelRank: number;
}

/** What lets a token see the ones before it: attention, plain or latent, a gated convolution over the last few, the gated delta rule, or a state space. */
export type TokenMixer = 'attention' | 'latent_attention' | 'short_conv' | 'gated_delta' | 'state_space';

/** Layers in which heads of values hand on a state each, that keys write into and queries read. */
export interface GatedDeltaConfig {
  readonly keyHeads: number;
  readonly keySize: number;
  /** A multiple of `keyHeads`: several may share queries and keys. */
  readonly valueHeads: number;
  readonly valueSize: number;
  /** Tokens that the convolution before them reads, its own included. */
  readonly convSize: number;
}

/** Layers in which heads hand on a state each, that decays by one factor for all of it (Mamba 2). */
export interface StateSpaceConfig {
  readonly heads: number;
  readonly headSize: number;
  /** A divisor of `heads`: those of a group are written and read alike. */
  readonly groups: number;
  readonly stateSize: number;
  /** Tokens that the convolution before them reads, its own included. */
  readonly convSize: number;
  readonly convBias: boolean;
}

/** Ids below it have a row in all tables that a token is looked up in: no text may hold others, and none is said. */
export function readableTokens({
  vocabSize,
  perLayerInputs,
}: Pick<ModelConfig, 'vocabSize' | 'perLayerInputs'>): number {
  return Math.min(vocabSize, perLayerInputs?.vocabSize ?? vocabSize);
}

/** Some layer's tokens hand on a state of fixed size, instead of being looked at again. */
export function carriesState({ mixers }: Pick<ModelConfig, 'mixers'>): boolean {
  return mixers.some((mixer) => mixer === 'short_conv' || mixer === 'gated_delta' || mixer === 'state_space');
}

/** Tokens that the model is made for; with dynamic NTK so many contexts as its factor says. */
export function longestText({ maxPositions, rope: { scaling } }: Pick<ModelConfig, 'maxPositions' | 'rope'>): number {
  return scaling?.kind === 'dynamic' ? Math.floor(maxPositions * scaling.factor) : maxPositions;
}

/** Whether transformers has a balance loss of its routers. */
export function hasBalanceLoss({ experts }: Pick<ModelConfig, 'experts'>): boolean {
  return experts !== null && experts.layers.some(Boolean) && experts.sigmoid === null && !experts.besideMlp;
}

/** What config.json asks the balance loss of its routers to count; 0 where it asks for none. */
export function askedBalanceLoss(config: Pick<ModelConfig, 'experts'>): number {
  return hasBalanceLoss(config) ? (config.experts?.balanceLoss ?? 0) : 0;
}

/** Of the keys and values of a layer. */
export function headsOf(config: ModelConfig, layer: number): Pick<ModelConfig, 'kvHeadCount' | 'headSize'> {
  return (config.slidingWindow[layer] === null ? config.globalAttention : null) ?? config;
}

export function keysAreValues({ slidingWindow, globalAttention }: ModelConfig, layer: number): boolean {
  return slidingWindow[layer] === null && globalAttention?.keysAreValues === true;
}

/** The layer whose keys and values this one attends to: itself, but where it shares. */
export function keySource({ keySharing, slidingWindow }: ModelConfig, layer: number): number {
  if (!keySharing || layer < keySharing.from) return layer;
  const isFull = slidingWindow[layer] === null;
  return slidingWindow.findLastIndex((keys, i) => i < keySharing.from && (keys === null) === isFull);
}

/** What every architecture reads its config.json into. */
export interface ModelConfig {
  /** `model_type` in config.json. */
  readonly architecture: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly headSize: number;
  readonly intermediateSize: number;
  /** Per layer. */
  readonly mixers: readonly TokenMixer[];
  /** Tokens that a short convolution reads, its own included; null where no layer has one. */
  readonly shortConvSize: number | null;
  /** Null where no layer has it. */
  readonly latentAttention: LatentAttentionConfig | null;
  /** Likewise. */
  readonly gatedDelta: GatedDeltaConfig | null;
  /** Likewise. */
  readonly stateSpace: StateSpaceConfig | null;
  /** Of layers whose MLP is a mixture of experts; null where none is. */
  readonly experts: ExpertsConfig | null;
  readonly rmsNormEps: number;
  /** The language-model head is the embedding matrix itself; no `lm_head` tensor exists. */
  readonly tieWordEmbeddings: boolean;
  /** In place of logits there is one number for a text, at its last token: a reward model. No head over the vocabulary exists, nor is one tied. */
  readonly scoreHead: boolean;
  readonly maxPositions: number;
  /** q, k and v have biases. */
  readonly attentionBias: boolean;
  /** Each head's rows of q are followed by as many, through whose sigmoid its output goes. */
  readonly attentionGate: boolean;
  /** o has a bias. */
  readonly outputBias: boolean;
  /** gate, up and down have biases. */
  readonly mlpBias: boolean;
  /** Each head has a logit that joins the softmax of its scores and has no value. */
  readonly attentionSinks: boolean;
  /** Values are RMS-normalized head by head, without weights. */
  readonly valueNorm: boolean;
  readonly globalAttention: GlobalAttention | null;
  readonly keySharing: KeySharing | null;
  readonly perLayerInputs: PerLayerInputs | null;
  readonly altUp: AltUpConfig | null;
  /** Per layer: what the gate gives is left out but for about this share of the largest, and that by how much it is larger than the rest; 0 for all. */
  readonly activationSparsity: readonly number[];
  /** Files have a number for each layer by which what it hands on is multiplied; it is no parameter. */
  readonly layerScale: boolean;
  /** q and k are RMS-normalized before rope: each head by itself, or all heads of a token together. */
  readonly qkNorm: 'each_head' | 'all_heads' | null;
  /** q, k and v are rows of one matrix, in files and for adapters. */
  readonly fusedQkv: boolean;
  /** gate and up are. */
  readonly fusedGateUp: boolean;
  /** What the gate of the MLP goes through. */
  readonly activation: GateActivation;
  /** Where a block's norms stand: before attention and MLP, on what these add to the residual, or both. */
  readonly norms: 'before' | 'after' | 'both';
  /** Added to the weights of all norms: 1 where files hold how far they are from 1. */
  readonly normOffset: 0 | 1;
  /** Scores are q·k times this, under the soft cap cap · tanh(score / cap); 0 for no cap. */
  readonly attentionScale: number;
  readonly attentionSoftCap: number;
  readonly logitSoftCap: number;
  /** What embeddings are multiplied by, what is added to the residual, and logits. */
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitScale: number;
  /** Per layer: the number of keys a query sees, itself included, or null for full causal attention. */
  readonly slidingWindow: readonly (number | null)[];
  readonly rope: RopeConfig;
  /** Of layers with a window, where it differs. */
  readonly slidingRope: RopeConfig | null;
  /** Per layer: queries and keys are turned by their positions. */
  readonly hasRope: readonly boolean[];
  /** The first so many values of each head are turned, in pairs of neighbors, or of values half of them apart. */
  readonly rotarySize: number;
  readonly rotaryPairs: 'halves' | 'neighbors';
  readonly queryScaling: QueryScaling | null;
  readonly bosTokenId: number | null;
  /** Every token that ends a generation, those of generation_config.json included. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  /** Probability with which transformers drops attention weights in training. No graph of ours does: whoever trains says so. */
  readonly attentionDropout: number;
  /** The same of what attention and MLP add to the residual. */
  readonly residualDropout: number;
}
