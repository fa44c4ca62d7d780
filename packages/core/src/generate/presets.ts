import type { JsonObject } from '@anneal/formats/json';
import { greedy, type SamplingOptions } from './sample.ts';

/** What Qwen recommends for Qwen3, thinking and not (model card of Qwen/Qwen3-4B). */
const qwen3 = {
  thinking: { ...greedy, temperature: 0.6, topP: 0.95, topK: 20 },
  direct: { ...greedy, temperature: 0.7, topP: 0.8, topK: 20 },
};

const standard: SamplingOptions = { ...greedy, temperature: 0.7, topP: 0.95 };

/** What an answer is sampled with when nothing is asked for: what the model's makers recommend, as far as they do. */
export function recommendedSampling(
  model: { readonly configJson: JsonObject; readonly generationConfig: JsonObject | null },
  thinking: boolean,
): SamplingOptions {
  if (model.configJson['model_type'] === 'qwen3') return thinking ? qwen3.thinking : qwen3.direct;
  const config = model.generationConfig ?? {};
  if (config['do_sample'] !== true) return standard;
  const number = (key: string, otherwise: number) => {
    const value = config[key];
    return typeof value === 'number' ? value : otherwise;
  };
  // transformers' own defaults for what the file leaves out.
  return {
    temperature: number('temperature', 1),
    topK: number('top_k', 50),
    topP: number('top_p', 1),
    minP: number('min_p', 0),
    repetitionPenalty: number('repetition_penalty', 1),
  };
}
