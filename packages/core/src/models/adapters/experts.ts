import { EXPERT_PARAMETERS } from '@anneal/formats/peft/experts';
import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import { findName, type NameTable } from '../names.ts';
import { expertMatrices } from '../tensors.ts';

/**
 * The matrices of all experts that `targets` name, by our names and in model order: `experts.gate_up_proj` or another dotted end of what
 * transformers calls them. Each expert gets factors of its own.
 * @throws UserError for a name that means none of them
 */
export function targetedExperts(config: ModelConfig, names: NameTable, targets: readonly string[]): string[] {
  const parameters = Array.from({ length: config.layerCount }, (_, layer) => adaptable(config, names, layer)).flat();
  const unknown = targets.find((target) => !parameters.some(({ parameter }) => means(parameter, target)));
  if (unknown !== undefined) throw noSuchParameter(unknown, parameters.length > 0);
  return parameters
    .filter(({ parameter }) => targets.some((target) => means(parameter, target)))
    .map(({ ours }) => ours);
}

/**
 * Our name of the matrix of experts that transformers calls `parameter`, or null where no adapter can go: where files hold it transposed, or gate
 * and up in turn (gpt-oss), its rows lie otherwise than here.
 */
export function expertsOfParameter(config: ModelConfig, names: NameTable, parameter: string): string | null {
  const layer = Number(/\.(\d+)\./.exec(parameter)?.[1] ?? Number.NaN);
  return adaptable(config, names, layer).find((each) => each.parameter === parameter)?.ours ?? null;
}

function adaptable(config: ModelConfig, names: NameTable, layer: number): { ours: string; parameter: string }[] {
  return expertMatrices(config, layer).flatMap((matrix) => {
    const ours = `layers.${layer}.${matrix}`;
    const { huggingFace = '', layout } = findName(names, ours) ?? {};
    return isParameter(huggingFace) && !layout ? [{ ours, parameter: huggingFace }] : [];
  });
}

/** Whether transformers calls a matrix of experts so: files of some models have other names for it. */
function isParameter(huggingFace: string): boolean {
  return EXPERT_PARAMETERS.some((parameter) => huggingFace.endsWith(`.experts.${parameter}`));
}

function means(parameter: string, target: string): boolean {
  return parameter === target || parameter.endsWith(`.${target}`);
}

export function isOnExperts(linear: string): boolean {
  return /\.experts_(gate_up|down)$/.test(linear);
}

/** How many matrices lie behind each other in this one, which has an adapter. */
export function expertCount({ experts }: ModelConfig, linear: string): number {
  return isOnExperts(linear) ? (experts?.count ?? 1) : 1;
}

/** B of all experts as PEFT keeps it, [outputs, rank · experts] with experts innermost, in ours: [experts · outputs, rank]. */
export function expertsApart(b: Float32Array, experts: number, rank: number): Float32Array {
  const outputs = b.length / (experts * rank);
  return b.map((_, i) => {
    const [expert, output, r] = [Math.floor(i / (outputs * rank)), Math.floor(i / rank) % outputs, i % rank];
    return b[(output * rank + r) * experts + expert] as number;
  });
}

/** The other way. */
export function expertsTogether(b: Float32Array, experts: number, rank: number): Float32Array {
  const outputs = b.length / (experts * rank);
  return b.map((_, i) => {
    const [output, r, expert] = [Math.floor(i / (rank * experts)), Math.floor(i / experts) % rank, i % experts];
    return b[(expert * outputs + output) * rank + r] as number;
  });
}

function noSuchParameter(target: string, hasExperts: boolean): UserError {
  return new UserError({
    what: `lora_target_parameters names ${target}, which is no matrix of experts that can carry an adapter in this model`,
    next: hasExperts ? 'use gate_up_proj and down_proj' : 'remove lora_target_parameters',
    code: 'adapter_target_unknown',
  });
}
