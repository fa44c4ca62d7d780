import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { type Architecture, ggufArchitecture } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import { type RopeConfig, yarnAttentionFactor } from '../rope.ts';

type Entry = readonly [key: string, value: GgufValue];

/**
 * The architecture's part of a GGUF file's metadata, as llama.cpp reads it.
 */
export function metadataOf(config: ModelConfig, architecture: Architecture): Map<string, GgufValue> {
  const { ggufPart } = architecture;
  const gguf = ggufArchitecture(architecture, config);
  const entries: Entry[] = [
    uint32('block_count', config.layerCount),
    uint32('context_length', config.maxPositions),
    uint32('embedding_length', config.hiddenSize),
    uint32('feed_forward_length', config.intermediateSize),
    uint32('attention.head_count', config.headCount),
    uint32('attention.head_count_kv', config.kvHeadCount),
    uint32('attention.key_length', config.headSize),
    uint32('attention.value_length', config.headSize),
    float32('attention.layer_norm_rms_epsilon', config.rmsNormEps),
    uint32('vocab_size', config.vocabSize),
    uint32('rope.dimension_count', config.rotarySize),
    float32('rope.freq_base', config.rope.theta),
    ...ropeScalingEntries(config.rope, ggufPart?.scalesYarnItself ?? false),
    ...slidingWindowEntries(config.slidingWindow, ggufPart?.honorsWindow ?? false),
    ...(ggufPart?.metadata(config) ?? []),
  ];
  return new Map(entries.map(([key, value]) => [`${gguf}.${key}`, value]));
}

/** Llama 3's, LongRoPE's and proportional scaling are tensors there (ropeFactors.ts); Llama 3's original context is written only for our own reader. */
function ropeScalingEntries({ scaling }: RopeConfig, scalesYarnItself: boolean): Entry[] {
  if (scaling === null || scaling.kind === 'proportional') return [];
  if (scaling.kind === 'dynamic') return []; // GGUF does not know it: `export/ggufLimits.ts` says so
  if (scaling.kind === 'llama3') return [originalContext(scaling.originalMaxPositions)];
  if (scaling.kind === 'longrope')
    return [
      originalContext(scaling.originalMaxPositions),
      float32('rope.scaling.attn_factor', scaling.attentionFactor),
    ];
  const common: Entry[] = [
    ['rope.scaling.type', { type: 'string', value: scaling.kind }],
    float32('rope.scaling.factor', scaling.factor),
  ];
  if (scaling.kind === 'linear') return common;
  // llama.cpp computes the usual attention factor itself and multiplies it by this key.
  const attention = scaling.attentionFactor / yarnAttentionFactor(scaling.factor);
  const correction = attention === 1 || scalesYarnItself ? [] : [float32('rope.scaling.attn_factor', attention)];
  return [...common, originalContext(scaling.originalMaxPositions), ...correction];
}

/** Which layers slide llama.cpp knows by the architecture, where it honors windows at all; our own reader reads it. */
function slidingWindowEntries(windows: ModelConfig['slidingWindow'], isHonored: boolean): Entry[] {
  const window = windows.find((keys) => keys !== null) ?? null;
  if (window === null) return [];
  if (isHonored) return [uint32('attention.sliding_window', window)];
  const pattern: GgufValue = { type: 'array', items: 'bool', value: windows.map((keys) => keys !== null) };
  return [uint32('attention.sliding_window', window), ['attention.sliding_window_pattern', pattern]];
}

function originalContext(positions: number): Entry {
  return uint32('rope.scaling.original_context_length', positions);
}

export function uint32(key: string, value: number): Entry {
  return [key, { type: 'uint32', value }];
}

export function float32(key: string, value: number): Entry {
  return [key, { type: 'float32', value }];
}
