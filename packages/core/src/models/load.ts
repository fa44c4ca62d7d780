import type { Engine, SourceType } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { ropeVariable } from './layers/decoder.ts';
import type { ModelTensor, OpenModel } from './model.ts';
import { inverseFrequencies } from './rope.ts';

/** Types the engine converts by itself; all others are decoded to float32 first. */
const direct: Readonly<Record<string, SourceType>> = { F32: 'f32', BF16: 'bf16', F16: 'f16' };

/**
 * Fills an engine's variables with the model's weights, tensor by tensor, so that no more than one is held besides.
 * @throws UserError when `signal` is aborted
 */
export async function loadWeights(
  engine: Engine,
  model: OpenModel,
  {
    onProgress,
    signal,
  }: { onProgress?: (loaded: number, total: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { headSize, rope } = model.config;
  await engine.write(ropeVariable, inverseFrequencies(headSize, rope).inverse, 'f32');
  const wanted = [...model.tensors.values()].filter((tensor) => engine.plan.variables.has(tensor.name));
  for (const [index, tensor] of wanted.entries()) {
    if (signal?.aborted)
      throw new UserError({ what: 'loading the model was cancelled', where: model.path, code: 'cancelled' });
    await writeTensor(engine, tensor);
    onProgress?.(index + 1, wanted.length);
  }
}

function writeTensor(engine: Engine, tensor: ModelTensor): Promise<void> {
  const source = direct[tensor.dtype];
  return source
    ? engine.write(tensor.name, tensor.bytes(), source)
    : engine.write(tensor.name, tensor.float32(), 'f32');
}
