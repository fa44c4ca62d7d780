import { join } from 'node:path';
import type { OpenModel } from '../models/open.ts';
import type { Warning } from '../protocol/events.ts';

/** What a model asks of training that is not done. */
export function modelWarnings({ config, format, path }: Pick<OpenModel, 'config' | 'format' | 'path'>): Warning[] {
  const { attentionDropout } = config;
  if (attentionDropout === 0) return [];
  return [
    {
      type: 'warning',
      code: 'attention_dropout_not_applied',
      message: `the model asks for attention_dropout ${attentionDropout} in training, which is not applied: no attention weight is dropped`,
      where: format === 'huggingface' ? join(path, 'config.json') : path,
      next: 'set attention_dropout to 0 there if that is fine; lora_dropout does drop inputs of the adapter',
    },
  ];
}
