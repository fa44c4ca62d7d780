import type { Graph, HostArray, Tensor } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import type { Head } from '../models/layers/modelScope.ts';

/**
 * What a run minimizes: how rows lie in a batch, what a program computes of the model's hidden states, and what its sums mean. The
 * trainer knows nothing of losses, and an objective nothing of weights, steps or files.
 */
export interface Objective {
  /** Documents that one row becomes; they lie in one batch, one behind the other. */
  readonly answersPerRow: 1 | 2;
  /** Numbers that the batches of a step add up. */
  readonly sumCount: number;
  /** What logits are divided by, where answers are sampled at another temperature than 1. */
  readonly temperature?: number;
  /** Whether a step is measured from how far the model went from its reference: `measureDivergence` runs before it. */
  readonly divergence: boolean;
  /** Adds a batch's loss to the sums, in a way that `backward` can follow. */
  train(context: ObjectiveContext): ObjectiveResult;
  /** Adds the same to the sums; no gradient is asked for. */
  evaluate(context: ObjectiveContext): ObjectiveResult;
  /** The loss of each of the batch's target tokens, in their order. @param rows what `train` or `evaluate` gave */
  tokenLosses(rows: HostArray, batch: BatchRows): Float64Array;
  /** Adds the batch's Σ log(p / p of the reference) to `context.sums`, of one element. */
  measureDivergence?(context: ObjectiveContext): Tensor;
  /** What the programs read of a batch beside tokens and positions, and so its number of supervised rows. */
  inputsOf(batch: BatchRows): { readonly rows: number; readonly inputs: Readonly<Record<string, HostArray>> };
  /** What the sums over these batches are divided by. */
  countsOf(batches: readonly Batch[], divergence: readonly Batch[]): ObjectiveCounts;
  /** Inputs of `train` that are the same for all batches of a step, so that its gradients are those of the mean. */
  trainScales(counts: ObjectiveCounts): Readonly<Record<string, HostArray>>;
  /** Those of `evaluate`, whose sums may be divided by more than a batch holds. */
  evaluationScales(counts: ObjectiveCounts): Readonly<Record<string, HostArray>>;
  read(sums: ArrayLike<number>, counts: ObjectiveCounts): Measured;
}

export interface ObjectiveResult {
  /** `context.sums` with the batch's share. */
  readonly sums: Tensor;
  /** [R]: what is known of each supervised row. */
  readonly rows: Tensor;
}

export type BatchRows = Pick<Batch, 'tokens' | 'labels' | 'cuSeqlens' | 'sides' | 'answers' | 'margins'>;

export interface ObjectiveCounts {
  /** Tokens of the term that is a mean over tokens. */
  readonly tokens: number;
  readonly chosen: number;
  readonly rejected: number;
  /** Sampled answers, also those that are left out of the loss. */
  readonly sampled: number;
  /** Pairs of a prompt and another's answer that the divergence is estimated from. */
  readonly divergencePairs: number;
}

/** What sums over batches say. */
export interface Measured {
  readonly loss: number;
  /** Null where the objective is not about preferences. */
  readonly preference: PreferenceMeasures | null;
  /** Null where no answers are sampled. */
  readonly policy: PolicyMeasures | null;
}

/** How far the model has gone from what it is compared with. As the events name them. */
export interface PolicyMeasures {
  /** Of the tokens, the mean divergence from the reference; null without one. */
  readonly divergence: number | null;
  /** Share of the tokens, or of the answers, whose ratio is clipped. */
  readonly clipShare: number;
}

/** Means over the answers of a kind; null where there was none. As the events name them. */
export interface PreferenceMeasures {
  readonly rewardChosen: number | null;
  readonly rewardRejected: number | null;
  /** Chosen less rejected. */
  readonly rewardMargin: number | null;
  /** Share of the pairs whose chosen answer has the higher reward; null of answers that are judged one by one. */
  readonly rewardAccuracy: number | null;
  readonly logpChosen: number | null;
  readonly logpRejected: number | null;
  /** Estimated divergence from the reference, where the objective measures one. */
  readonly divergence?: number;
}

export interface ObjectiveContext {
  readonly graph: Graph;
  /** The model as it is trained. Its nodes are made when it is asked for: what the reference needs comes first. */
  policy(): ModelPass;
  /** The scores of these rows by a model with a head of scores: f32[R]. */
  scores(rows: Tensor): Tensor;
  /** Log-probabilities of the supervised rows by the model that is not trained. */
  reference(): Tensor;
  /** f64[sumCount] */
  readonly sums: Tensor;
  /** Rows of logits that exist at one time. */
  readonly logitRows: number;
}

/** One way of a batch through a model. */
export interface ModelPass {
  readonly head: Head;
  readonly bf16: boolean;
}
