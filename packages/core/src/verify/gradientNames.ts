import { EXPERT_PARAMETERS, parameterOfWrapper } from '@anneal/formats/peft/experts';
import { expertsOfParameter } from '../models/adapters/experts.ts';
import { fullName, loraName } from '../models/adapters/lora.ts';
import { linearOfModule } from '../models/adapters/targets.ts';
import { tokenNames } from '../models/adapters/tokens.ts';
import type { OpenModel } from '../models/model.ts';
import { findName } from '../models/names.ts';
import { inOurOrder, wholeTensor } from '../models/stored.ts';

const TOKEN_ROWS = '.embed_tokens.token_adapter.trainable_tokens_delta';

const PARTS = {
  embedding_A: 'A',
  embedding_B: 'B',
  'A.weight': 'A',
  'B.weight': 'B',
  'B.bias': 'bias',
  'magnitude_vector.weight': 'magnitude',
} as const;

/** Which of the matrices of experts these linears are, by PEFT's names. */
export function expertParameters(linears: Iterable<string>): string[] {
  const names = [...linears];
  return EXPERT_PARAMETERS.filter((each) =>
    names.some((name) => name.endsWith(`.experts_${each.replace(/_proj$/, '')}`)),
  );
}

/**
 * `grad.model.norm.weight` or `lora.grad.base_model.model.model.layers.1.mlp.up_proj.lora_A.weight` → our gradient variable.
 * @param onExperts the matrices of experts that the adapter is on, which decides how PEFT nests their names; by default
 * both, as in every reference whose adapter is on experts at all
 */
export function gradientVariable(
  model: OpenModel,
  name: string,
  onExperts: readonly string[] = EXPERT_PARAMETERS,
): string {
  const { names } = model.architecture;
  const lora =
    /^lora\.grad\.base_model\.model\.(.+)\.lora_(embedding_[AB]|A\.weight|B\.weight|B\.bias|magnitude_vector\.weight)$/.exec(
      name,
    );
  if (lora) {
    const path = lora[1] as string;
    const parameter = parameterOfWrapper(path, onExperts);
    const module = parameter
      ? expertsOfParameter(model.config, names, parameter)
      : linearOfModule(model.config, names, path);
    if (!module) throw new Error(`${name} is no linear of this model`);
    return `gradient/${loraName(module, PARTS[lora[2] as keyof typeof PARTS])}`;
  }
  if (name.endsWith(TOKEN_ROWS)) return `gradient/${tokenNames.embedding}`;
  const full = /^lora\.grad\.base_model\.model\.(.+?)(?:\.modules_to_save|\.base_layer)?\.(weight|bias)$/.exec(name);
  const wanted = full ? `${full[1]}.${full[2]}` : name.replace(/^grad\./, '');
  for (const ours of model.tensors.keys()) {
    if (findName(names, ours)?.huggingFace === wanted) return `gradient/${full ? fullName(ours) : ours}`;
  }
  throw new Error(`${name} is no tensor of this model`);
}

/** A gradient in transformers' order of elements as ours. @param variable what `gradientVariable` gives for it */
export function gradientInOurs(model: OpenModel, variable: string, gradient: Float32Array): Float32Array {
  const tensor = model.tensors.get(variable.replace(/^gradient\//, ''));
  if (!tensor) return gradient;
  return inOurOrder(gradient, wholeTensor(model.architecture.names, model.config, tensor, 'huggingFace'));
}
