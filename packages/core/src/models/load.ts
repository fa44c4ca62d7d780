import type { Engine } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { fullName } from './adapters/lora.ts';
import { constants } from './layers/constants.ts';
import { firstNotFinite, type ModelTensor, type OpenModel, refuseNotFinite, refuseProblem } from './model.ts';
import { isHeldInNf4, writeNf4, writeNf4Map } from './nf4.ts';

const PIECE_ELEMENTS = 1 << 17;

/**
 * Fills an engine's variables with the model's weights; what is trained in full beside an adapter begins as they are. The engine reads them by itself, on all cores, but for types that must be
 * decoded first.
 * @throws UserError when `signal` is aborted, a file ends before its tensors, or a weight is not finite
 */
export async function loadWeights(
  engine: Engine,
  model: OpenModel,
  {
    onProgress,
    signal,
  }: { onProgress?: (loaded: number, total: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  for (const [name, values] of constants(model.config)) await engine.write(name, values, 'f32');
  await writeNf4Map(engine);
  const wanted = [...model.tensors.values()].filter(
    ({ name }) =>
      engine.plan.variables.has(name) || engine.plan.variables.has(fullName(name)) || isHeldInNf4(engine, name),
  );
  for (const [index, tensor] of wanted.entries()) {
    if (signal?.aborted)
      throw new UserError({ what: 'loading the model was cancelled', where: model.path, code: 'cancelled' });
    if (isHeldInNf4(engine, tensor.name)) await writeNf4(engine, model, tensor);
    for (const variable of [tensor.name, fullName(tensor.name)]) {
      if (engine.plan.variables.has(variable)) await loadTensor(engine, model, tensor, variable);
    }
    onProgress?.(index + 1, wanted.length);
  }
}

/** @param variable of the engine that gets the tensor's values @throws UserError where the file ends before it, and for a weight that is not finite */
async function loadTensor(engine: Engine, model: OpenModel, tensor: ModelTensor, variable: string): Promise<void> {
  const source = tensor.source();
  if (!source) return writeDecoded(engine, model, tensor, variable);
  const { problem, notFinite } = await engine.load(variable, source);
  refuseProblem(problem, tensor, model);
  refuseNotFinite(notFinite, tensor, model.path);
}

/** Piece by piece, so that no more than a few megabytes are held besides. */
async function writeDecoded(engine: Engine, model: OpenModel, tensor: ModelTensor, variable: string): Promise<void> {
  const { shape, rowGroup } = tensor;
  const [rows = 1, ...row] = shape;
  const rowElements = row.reduce((product, extent) => product * extent, 1);
  const step = Math.max(rowGroup, Math.floor(PIECE_ELEMENTS / rowElements / rowGroup) * rowGroup);
  for (let first = 0; first < rows; first += step) {
    const values = tensor.float32({ first, count: Math.min(step, rows - first) });
    const found = firstNotFinite(values);
    refuseNotFinite(found === null ? null : first * rowElements + found, tensor, model.path);
    await engine.write(variable, values, 'f32', first * rowElements);
    // Frees the bytes now: the collector lets some 70 MB of such buffers gather first, which the plan does not count.
    (values.buffer as ArrayBuffer).transfer(0);
  }
}
