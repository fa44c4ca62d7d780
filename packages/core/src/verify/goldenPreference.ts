/** Folders of reference values for one objective and one model, as TRL computes them: golden.json and golden.safetensors. */
import { join } from 'node:path';
import { openSafetensors, type SafetensorsSource } from '@anneal/formats/safetensors/read';
import { z } from 'zod';
import { divergenceBatches } from '../datasets/divergence.ts';
import { evaluationBatches } from '../datasets/steps.ts';
import { type TokenStore, tokenStoreOf } from '../datasets/tokenStore.ts';
import type { Encoded, Side, StepBatches } from '../datasets/types.ts';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { type Objective, type ObjectiveOptions, objectiveOf } from '../objectives/index.ts';
import type { RewardScale } from '../objectives/sampledAnswers.ts';
import { optimizerForm } from './golden.ts';
import { IDS, NUMBERS, readReference } from './readReference.ts';

const objectives = ['dpo', 'orpo', 'cpo', 'kto', 'reward', 'grpo'] as const;

export interface GoldenPreference {
  readonly objective: (typeof objectives)[number];
  /** Of the files of the base that the values were computed from. */
  readonly sha256: Readonly<Record<string, string>>;
  readonly rows: readonly GoldenRow[];
  readonly rows_clamped?: readonly GoldenRow[];
  /** Sums over the tokens of each row. */
  readonly logps: Readonly<Record<string, readonly number[]>>;
  readonly variants: Readonly<Record<string, GoldenVariant>>;
  readonly curves: Readonly<
    Record<string, { readonly loss: readonly number[]; readonly grad_norm: readonly number[] }>
  >;
  readonly optimizer: GoldenOptimizer;
  /** Of `grpo`: by the way rewards are scaled, of each answer. */
  readonly advantages?: Readonly<Record<RewardScale, readonly number[]>>;
  /** Of `grpo`: answers that do not end. */
  readonly truncated?: readonly boolean[];
  readonly max_completion_length?: number;
  /** Of `reward`: by how much each chosen answer is to be better. */
  readonly margins?: readonly number[];
}

export interface GoldenOptimizer {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly max_grad_norm: number;
  readonly steps: number;
}

export interface GoldenVariant {
  readonly options: GoldenOptions;
  readonly loss: number;
  readonly grad_norm: number;
  /** By TRL's names. */
  readonly batch: Readonly<Record<string, number>>;
  readonly rows?: Readonly<Record<string, readonly number[]>>;
}

export interface GoldenRow {
  readonly prompt: readonly number[];
  readonly chosen?: readonly number[];
  readonly rejected?: readonly number[];
  readonly completion?: readonly number[];
  readonly label?: boolean;
  /** Sampled answers, each with its reward. */
  readonly completions?: readonly (readonly number[])[];
  readonly rewards?: readonly number[];
}

/** By TRL's names; of an objective only some are there. */
export interface GoldenOptions {
  readonly loss_type?: string;
  readonly beta?: number;
  readonly label_smoothing?: number;
  readonly reference_free?: boolean;
  readonly sft_weight?: number;
  readonly cpo_alpha?: number;
  readonly simpo_gamma?: number;
  readonly desirable_weight?: number;
  readonly undesirable_weight?: number;
  readonly level?: 'token' | 'sequence';
  readonly scale?: RewardScale;
  readonly mask_truncated?: boolean;
  readonly clip?: readonly [number, number];
  readonly kl_correction?: boolean;
  /** Batches that the rows lie in. */
  readonly accumulation?: number;
  /** Of `reward`: margins count, and the weight of what the scores of a pair have together. */
  readonly margin?: boolean;
  readonly center?: number;
}

const rowForm = z.looseObject({
  prompt: IDS,
  chosen: IDS.optional(),
  rejected: IDS.optional(),
  completion: IDS.optional(),
  completions: z.array(IDS).optional(),
  rewards: NUMBERS.optional(),
});
const form = z.looseObject({
  objective: z.string(),
  sha256: z.record(z.string(), z.string()),
  rows: z.array(rowForm),
  rows_clamped: z.array(rowForm).optional(),
  logps: z.record(z.string(), NUMBERS),
  variants: z.record(
    z.string(),
    z.looseObject({
      options: z.looseObject({}),
      loss: z.number(),
      grad_norm: z.number(),
      batch: z.record(z.string(), z.number()),
      rows: z.record(z.string(), NUMBERS).optional(),
    }),
  ),
  curves: z.record(z.string(), z.looseObject({ loss: NUMBERS, grad_norm: NUMBERS })),
  optimizer: optimizerForm.extend({ lr: z.number() }),
  advantages: z.record(z.string(), NUMBERS).optional(),
  truncated: z.array(z.boolean()).optional(),
  max_completion_length: z.number().optional(),
  margins: NUMBERS.optional(),
});

/** What there is of each objective: values of `loss_type`, and the other options. */
const KNOWN: Readonly<
  Record<GoldenPreference['objective'], { losses: readonly string[]; options: readonly string[] }>
> = {
  dpo: {
    losses: ['sigmoid', 'hinge', 'ipo', 'robust'],
    options: ['beta', 'label_smoothing', 'reference_free', 'sft_weight', 'policy'],
  },
  orpo: { losses: [], options: ['beta'] },
  cpo: {
    losses: ['sigmoid', 'hinge', 'ipo', 'simpo'],
    options: ['beta', 'label_smoothing', 'cpo_alpha', 'simpo_gamma'],
  },
  kto: { losses: ['kto', 'apo_zero_unpaired'], options: ['beta', 'desirable_weight', 'undesirable_weight'] },
  reward: { losses: [], options: ['margin', 'center'] },
  grpo: {
    losses: ['grpo', 'bnpo', 'dr_grpo', 'dapo'],
    options: ['beta', 'level', 'scale', 'mask_truncated', 'clip', 'kl_correction', 'accumulation'],
  },
};

/** @throws UserError for an option that is not here: what it changes would be missed */
function refuseUnknownOptions(path: string, { objective, variants }: GoldenPreference): void {
  const { losses, options: known } = KNOWN[objective];
  for (const [variant, { options }] of Object.entries(variants)) {
    const unknown = Object.entries(options).find(([key, value]) =>
      key === 'loss_type' ? !losses.includes(value as string) : value !== null && !known.includes(key),
    );
    if (!unknown) continue;
    throw new UserError({
      what: `the variant ${variant} has ${unknown[0]} ${JSON.stringify(unknown[1])}, which is not here for ${objective}`,
      where: path,
      next: `leave the variant out; known are ${[...losses.map((loss) => `loss_type ${loss}`), ...known].join(', ')}`,
      code: 'golden_not_supported',
    });
  }
}

/** @throws UserError for an objective or an option that is not here, and for another base than that of the values */
export async function openGoldenPreference(
  path: string,
  modelPath: string,
): Promise<{ golden: GoldenPreference; tensors: SafetensorsSource }> {
  const golden = readReference<GoldenPreference>(join(path, 'golden.json'), form);
  if (!objectives.includes(golden.objective)) {
    throw new UserError({
      what: `the objective ${golden.objective} is not here`,
      where: path,
      next: `take a folder of ${objectives.join(', ')}`,
      code: 'golden_not_supported',
    });
  }
  refuseUnknownOptions(path, golden);
  for (const [file, expected] of Object.entries(golden.sha256)) {
    if ((await sha256OfFile(join(modelPath, file))) === expected) continue;
    throw new UserError({
      what: `${file} is not the one that these values were computed from`,
      where: modelPath,
      next: 'give the folder of their base, with its adapter/',
      code: 'golden_of_another_model',
    });
  }
  return { golden, tensors: openSafetensors(join(path, 'golden.safetensors')) };
}

/** The rows as documents, in their order; of a pair the chosen answer first, of sampled answers all. */
export function storeOf(rows: readonly GoldenRow[]): TokenStore {
  const documents = rows.flatMap(({ prompt, chosen, rejected, completion, completions, label }): Encoded[] => {
    const document = (answer: readonly number[], side: Side): Encoded => ({
      ids: Int32Array.from([...prompt, ...answer]),
      lossMask: Uint8Array.from([...prompt.map(() => 0), ...answer.map(() => 1)]),
      turns: [],
      side,
    });
    if (chosen && rejected) return [document(chosen, 'chosen'), document(rejected, 'rejected')];
    if (completions) return completions.map((answer) => document(answer, 'none'));
    return [document(completion ?? [], label ? 'chosen' : 'rejected')];
  });
  return tokenStoreOf(documents);
}

/** All rows as one step, in one batch. */
export function stepOf(store: TokenStore, { answersPerRow, divergence }: Objective): StepBatches {
  const batches = [...evaluationBatches(store, Number.POSITIVE_INFINITY, answersPerRow)];
  const documents = Array.from({ length: store.count }, (_, document) => document);
  const longest = Number.POSITIVE_INFINITY;
  const pairs = divergence ? divergenceBatches(store, documents, longest, longest) : [];
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  return { batches, divergence: pairs, targetTokens: 0, tokens, epoch: 0, index: 0 };
}

export function objectiveOfVariant(
  objective: GoldenPreference['objective'],
  { options }: Pick<GoldenVariant, 'options'>,
): Objective {
  return objectiveOf(optionsOf(objective, options));
}

function optionsOf(kind: GoldenPreference['objective'], options: GoldenOptions): ObjectiveOptions {
  const { beta = 0, loss_type: loss = 'sigmoid', label_smoothing: labelSmoothing = 0 } = options;
  switch (kind) {
    case 'dpo':
      return {
        kind,
        loss: loss as 'sigmoid',
        beta,
        labelSmoothing,
        referenceFree: options.reference_free ?? false,
        sftWeight: options.sft_weight ?? 0,
      };
    case 'orpo':
      return { kind, beta };
    case 'cpo':
      return {
        kind,
        loss: loss as 'sigmoid',
        beta,
        labelSmoothing,
        gamma: options.simpo_gamma ?? 0,
        sftWeight: options.cpo_alpha ?? 0,
      };
    case 'kto':
      return {
        kind,
        beta,
        desirableWeight: options.desirable_weight ?? 1,
        undesirableWeight: options.undesirable_weight ?? 1,
        divergence: loss === 'kto',
      };
    case 'reward':
      return { kind, center: options.center ?? 0 };
    case 'grpo':
      return {
        kind,
        sequence: options.level === 'sequence',
        low: options.clip?.[0] ?? 0.2,
        high: options.clip?.[1] ?? 0.2,
        beta,
        correction: options.kl_correction ?? true,
        temperature: 1,
        onPolicy: false,
      };
  }
}
