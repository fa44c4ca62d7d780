/** What a recipe may begin as. Browser-safe. */
export const presetNames = ['lora', 'qlora', 'full', 'continued', 'thinking', 'dpo', 'kto', 'reward', 'grpo'] as const;
export type PresetName = (typeof presetNames)[number];

/** Where no model is named. */
export const presetModels: Readonly<Record<PresetName, string>> = {
  lora: 'smollm2-135m',
  qlora: 'Qwen/Qwen3-8B',
  full: 'smollm2-135m',
  continued: 'smollm2-135m',
  thinking: 'Qwen/Qwen3-4B',
  dpo: 'smollm2-135m',
  kto: 'smollm2-135m',
  reward: 'smollm2-135m',
  grpo: 'Qwen/Qwen2.5-0.5B-Instruct',
};

/** What it learns from. The rows of the starter project are conversations; what takes others needs rows of one's own. */
export const presetRows = {
  lora: 'conversations',
  qlora: 'conversations',
  full: 'conversations',
  continued: 'texts',
  thinking: 'conversations',
  dpo: 'pairs',
  kto: 'judged',
  reward: 'pairs',
  grpo: 'tasks',
} as const satisfies Readonly<Record<PresetName, string>>;
