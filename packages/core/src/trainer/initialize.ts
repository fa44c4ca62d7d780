import type { Engine } from '@anneal/kernels';
import { type LoraSpec, loraName } from '../models/adapters/lora.ts';
import { normal, random } from '../random.ts';

/**
 * A new adapter as PEFT starts one: A uniform in ±1/√inputs (Kaiming with a = √5), B zero, of the embedding A zero and B normal, magnitudes those of the base's rows, so
 * that it changes nothing yet. Each A depends on the seed and its own name only. The base's weights are in the engine.
 */
export async function initializeLora(engine: Engine, spec: LoraSpec, seed: number): Promise<void> {
  for (const linear of spec.modules.keys()) {
    const name = loraName(linear, linear === 'embed' ? 'B' : 'A');
    const [rows = 0, columns = 0] = (engine.plan.variables.get(name)?.tensor.shape ?? []) as number[];
    const { uint32 } = random('lora', seed, linear);
    const bound = 1 / Math.sqrt(columns);
    const draw = linear === 'embed' ? () => normal(uint32) : () => (uint32() / 2 ** 31 - 1) * bound;
    await engine.write(name, Float32Array.from({ length: rows * columns }, draw), 'f32');
  }
  if (spec.dora) await initializeMagnitudes(engine, [...spec.modules.keys()]);
}

/** What the optimizer remembers and does not begin as zero. The parameters are in the engine. */
export async function initializeOptimizer(engine: Engine, beginsAs: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, parameter] of beginsAs) await engine.write(name, await engine.read(parameter), 'f32');
}

async function initializeMagnitudes(engine: Engine, linears: readonly string[]): Promise<void> {
  const { results } = await engine.run([{ program: 'magnitudes', extents: {}, inputs: {}, results: linears }]);
  for (const [i, linear] of linears.entries()) {
    await engine.write(loraName(linear, 'magnitude'), results[i] as Float32Array, 'f32');
  }
}
