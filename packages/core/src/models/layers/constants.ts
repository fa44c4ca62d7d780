import { headsOf, keySource, type ModelConfig } from '../config.ts';
import { ropeVariables } from './ropeTables.ts';
import { onesName } from './scopeWeights.ts';

/** What programs of a model read beside its weights, by the names of the variables: whoever loads a model fills them. */
export function constants(config: ModelConfig): ReadonlyMap<string, Float32Array> {
  const normed = config.valueNorm
    ? config.mixers.flatMap((_, layer) => (keySource(config, layer) === layer ? [headsOf(config, layer).headSize] : []))
    : [];
  const scaled = config.altUp ? [config.hiddenSize] : [];
  const ones = [...new Set([...normed, ...scaled])].map(
    (size) => [onesName(size), new Float32Array(size).fill(1)] as const,
  );
  return new Map([...ropeVariables(config), ...ones]);
}
