/** generation_config.json ↔ GGUF. */
export const SAMPLING_KEYS = {
  temperature: 'general.sampling.temp',
  top_k: 'general.sampling.top_k',
  top_p: 'general.sampling.top_p',
  min_p: 'general.sampling.min_p',
  repetition_penalty: 'general.sampling.penalty_repeat',
} as const;
