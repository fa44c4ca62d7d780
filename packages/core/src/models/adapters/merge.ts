import type { OpenModel } from '../model.ts';
import { type LoraWeights, moduleScale } from './loraWeights.ts';

/**
 * One tensor of the model with its adapter folded in: W + scale · B A, in a fresh array. Each element is summed in
 * float64 and rounded to float32 once.
 * @param name our name of a tensor of the model
 */
export function mergedWeights(model: OpenModel, adapter: LoraWeights | null, name: string): Float32Array {
  const tensor = model.tensors.get(name);
  if (!tensor) throw new Error(`${name} is not a tensor of ${model.path}`);
  const weights = tensor.float32();
  const module = adapter?.modules.get(name);
  if (!adapter || !module) return weights;
  const [outputs = 0, inputs = 0] = tensor.shape;
  const rank = module.rank ?? adapter.r;
  if (module.A.length !== rank * inputs || module.B.length !== outputs * rank) {
    throw new Error(
      `${name} is [${outputs},${inputs}], its adapter has ${module.A.length} and ${module.B.length} weights`,
    );
  }
  const scale = moduleScale(adapter, module);
  const delta = new Float64Array(inputs);
  for (let output = 0; output < outputs; output++) {
    delta.fill(0);
    for (let k = 0; k < rank; k++) {
      const b = scale * (module.B[output * rank + k] as number);
      const from = k * inputs;
      for (let input = 0; input < inputs; input++)
        delta[input] = (delta[input] as number) + b * (module.A[from + input] as number);
    }
    const row = output * inputs;
    for (let input = 0; input < inputs; input++)
      weights[row + input] = (weights[row + input] as number) + (delta[input] as number);
  }
  return weights;
}
