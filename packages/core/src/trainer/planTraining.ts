import type { Nf4Form } from '@anneal/formats/bitsandbytes/nf4';
import { type ActivationPolicy, compile, type Device, type Plan, type Tensor } from '@anneal/kernels';
import { activationTypeOn } from '../device.ts';
import { decodeProgram } from '../generate/programs.ts';
import { isMagnitude, type LoraSpec } from '../models/adapters/lora.ts';
import type { ModelConfig } from '../models/config.ts';
import type { Objective } from '../objectives/objective.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { type TrainingPrograms, trainingPrograms } from './programs.ts';

export interface TrainingPlanOptions {
  readonly config: ModelConfig;
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  /** Linears that are held in NF4. */
  readonly nf4: ReadonlyMap<string, Nf4Form>;
  /** null: full fine-tuning. */
  readonly lora: LoraSpec | null;
  readonly objective: Objective;
  readonly optimizer: OptimizerOptions;
  /** NEFTune's alpha; 0, as where nothing is said: no noise. */
  readonly embeddingNoiseAlpha?: number | undefined;
  /** The balance loss of routers joins the objective. */
  readonly balances?: boolean | undefined;
  readonly maxTokens: number;
  readonly activations: ActivationPolicy;
  readonly memoryBudget: number;
  readonly hostBudget: number;
  /** Tokens of the longest sample, prompt and answer; 0: no samples are made while training. */
  readonly sampleContext: number;
  /** null: nothing is sampled to learn from. */
  readonly rollouts?: RolloutRoom | null;
}

/** Room for answers that are sampled beside each other. */
export interface RolloutRoom {
  readonly answers: number;
  /** Of all of them, their prompts and what follows. */
  readonly cacheRows: number;
}

/** The decode program that answers sample prompts with the weights as they are trained. */
export const sampleProgram = 'sample';

/** The one that samples answers to learn from; both share a cache. */
export const rolloutProgram = 'rollout';

/** The plan a run executes and `estimate` prints: the same function, so the same bytes. */
export function planTraining(options: TrainingPlanOptions): { plan: Plan; programs: TrainingPrograms } {
  const { config, weightType, nf4, lora, objective, optimizer, sampleContext, rollouts, maxTokens } = options;
  const activationType = activationTypeOn(options.device, weightType);
  const programs = trainingPrograms({
    config,
    weightType,
    activationType,
    nf4,
    logitRows: options.device.logitRows,
    lora,
    objective,
    optimizer: { ...optimizer, decays },
    embeddingNoiseAlpha: options.embeddingNoiseAlpha,
    balances: options.balances,
  });
  const graphs = [...programs.graphs];
  const weights = { type: weightType, nf4, trainable: lora === null, lora, copies: false, dropoutSeed: null };
  const contextLength = Math.max(sampleContext, rollouts?.cacheRows ?? 0);
  const answers = rollouts?.answers ?? 1;
  const chooses = options.device.kind === 'cuda';
  const decoding = { config, weights, activationType, contextLength, states: answers, chooses };
  if (sampleContext > 0) graphs.push(decodeProgram(sampleProgram, programs.variables, decoding));
  if (rollouts) {
    const several = { ...decoding, several: true, chooses: true };
    graphs.push(decodeProgram(rolloutProgram, programs.variables, several));
  }
  const plan = compile(graphs, {
    bounds: { T: maxTokens, S: maxTokens + 1, N: answers, C: answers, R: maxTokens },
    activations: options.activations,
    memoryBudget: options.memoryBudget,
    hostBudget: options.hostBudget,
    device: options.device,
  });
  return { plan, programs };
}

/** Vectors, which are norms and biases, do not decay, but magnitudes of DoRA, sinks, `A_log` and `D` do: as transformers' Trainer has it. */
function decays(parameter: Tensor): boolean {
  return (
    parameter.shape.length > 1 ||
    isMagnitude(parameter) ||
    /\.(sinks|delta_decay|ssm_decay|ssm_skip)$/.test(parameter.name)
  );
}
