/** What a recipe may begin as. Browser-safe. */
export const presetNames = ['lora', 'qlora', 'full', 'continued', 'thinking'] as const;
export type PresetName = (typeof presetNames)[number];

/** Where no model is named. */
export const presetModels: Readonly<Record<PresetName, string>> = {
  lora: 'smollm2-135m',
  qlora: 'Qwen/Qwen3-8B',
  full: 'smollm2-135m',
  continued: 'smollm2-135m',
  thinking: 'Qwen/Qwen3-4B',
};
