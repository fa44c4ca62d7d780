import type { ChatSettings } from '@anneal/core/protocol/conversations';

export type Sampling = Pick<ChatSettings, 'temperature' | 'topP' | 'topK' | 'minP' | 'repetitionPenalty'>;

const untouched: Sampling = {
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  minP: undefined,
  repetitionPenalty: undefined,
};

/** What is left out is as the makers of the model recommend. */
export const presets = {
  recommended: untouched,
  exact: { ...untouched, temperature: 0 },
  varied: { ...untouched, temperature: 1, topP: 0.95 },
} as const;
export type Preset = keyof typeof presets;

export const usualSettings: ChatSettings = {
  ...untouched,
  system: '',
  tools: '',
  thinking: undefined,
  maxTokens: 512,
  seed: 3407,
};

/** Undefined for settings of one's own. */
export function presetOf(settings: Sampling): Preset | undefined {
  const keys = Object.keys(untouched) as (keyof Sampling)[];
  return (Object.keys(presets) as Preset[]).find((name) => keys.every((key) => presets[name][key] === settings[key]));
}
