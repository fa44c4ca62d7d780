import type { JsonObject } from '../json.ts';

/**
 * What an adapter begins as, where its base changes with it. `pissa`: the largest singular values of each weight, which the base loses
 * (Meng et al. 2024). `loftq`: those of what the weight loses in NF4, as which the base holds it (Li et al. 2023). `plain`: the base stays.
 */
export type Initialization = 'plain' | 'pissa' | 'loftq';

export const BIASES = ['none', 'all', 'lora_only'] as const;
export type Bias = (typeof BIASES)[number];

/** What `adapter_config.json` says, as far as it changes the result. Field names follow PEFT's LoraConfig. */
export interface LoraConfig {
  readonly r: number;
  readonly loraAlpha: number;
  /** Scale by alpha / √r instead of alpha / r. */
  readonly useRslora: boolean;
  /** Every module has a magnitude, which its rows of W + scale · B A are as long as. */
  readonly useDora: boolean;
  /** Every lora_B has a bias, scaled as its product is. */
  readonly loraBias: boolean;
  readonly loraDropout: number;
  /** Which biases of the base are trained themselves: none, all, or those of modules with an adapter. */
  readonly bias: Bias;
  /** Ends of the names of modules that are trained in full beside the adapter. */
  readonly modulesToSave: readonly string[];
  /** Matrices that the base shares, as embedding and head, stay one when they are trained in full. */
  readonly ensureWeightTying: boolean;
  /** Ends of module names, a regular expression for whole names, or `all-linear`. The tensors say which modules it met. */
  readonly targetModules: readonly string[] | string;
  /** Ends of the names of matrices that hold those of all experts of a layer: `experts.gate_up_proj`. */
  readonly targetParameters: readonly string[];
  /** Other ranks and alphas for modules whose name ends in the pattern; the first that fits counts. */
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
  /** Tokens whose rows of the embedding are trained, in the order of the file's rows; where it is the output layer, its rows, too. */
  readonly trainableTokens: readonly number[];
  readonly initialization: Initialization;
  /** `SEQ_CLS` where the base is one with a head of scores, of whatever else `CAUSAL_LM`. */
  readonly taskType: 'CAUSAL_LM' | 'SEQ_CLS';
  readonly baseModel: string | undefined;
  /** Revision of the base model. */
  readonly revision: string | undefined;
}

/** Every field that PEFT 0.21 writes, so that older and newer versions read the file without a warning. */
export function formatLoraConfig(config: LoraConfig): JsonObject {
  return {
    alora_invocation_tokens: null,
    alpha_pattern: config.alphaPattern,
    arrow_config: null,
    auto_mapping: null,
    base_model_name_or_path: config.baseModel ?? null,
    bias: config.bias,
    corda_config: null,
    ensure_weight_tying: config.ensureWeightTying,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: config.initialization === 'plain' ? true : config.initialization,
    kasa_config: null,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: config.initialization === 'loftq' ? { loftq_bits: 4, loftq_iter: 1 } : {},
    lora_alpha: config.loraAlpha,
    lora_bias: config.loraBias,
    lora_dropout: config.loraDropout,
    lora_ga_config: null,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: config.modulesToSave.length > 0 ? config.modulesToSave : null,
    monteclora_config: null,
    peft_type: 'LORA',
    peft_version: '0.21.0',
    qalora_group_size: 16,
    r: config.r,
    rank_pattern: config.rankPattern,
    revision: config.revision ?? null,
    target_modules: config.targetModules,
    target_parameters: config.targetParameters.length > 0 ? config.targetParameters : null,
    task_type: config.taskType,
    trainable_token_indices: config.trainableTokens.length > 0 ? config.trainableTokens : null,
    use_bdlora: null,
    use_dora: config.useDora,
    use_qalora: false,
    use_rslora: config.useRslora,
    velora_config: null,
  };
}
