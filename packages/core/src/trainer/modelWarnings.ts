import { join } from 'node:path';
import type { OpenModel } from '../models/open.ts';
import type { Warning } from '../protocol/events.ts';
import { tokensWithoutRow, withoutRowWarnings } from '../tokenizers/tokensWithoutRow.ts';

/** What a model asks of training, or has, that is not done or used. */
export function modelWarnings(model: OpenModel): Warning[] {
  return [
    ...ownCode(model),
    ...droppedWeights(model),
    ...partsLeftOut(model),
    ...withoutRowWarnings(tokensWithoutRow(model), model.path),
  ];
}

/** transformers runs such code with `trust_remote_code`, and it may compute something else than the model type says. */
function ownCode({ config, configJson, path }: OpenModel): Warning[] {
  if (!Object.hasOwn(configJson, 'auto_map')) return [];
  return [
    {
      type: 'warning',
      code: 'model_code_not_run',
      message: `the model names code of its own (auto_map), which is not run: it is computed as ${config.architecture} is in transformers`,
      where: join(path, 'config.json'),
      next: 'nothing, if that code does the same, as that of models which came before their type was in transformers; else use another model',
    },
  ];
}

function droppedWeights({ config, format, path }: OpenModel): Warning[] {
  const asked = [
    {
      key: 'attention_dropout',
      share: config.attentionDropout,
      dropped: 'attention weight',
      code: 'attention_dropout_not_applied',
    },
    {
      key: 'residual_dropout',
      share: config.residualDropout,
      dropped: 'output of attention and MLP',
      code: 'residual_dropout_not_applied',
    },
  ];
  return asked
    .filter(({ share }) => share > 0)
    .map(({ key, share, dropped, code }) => ({
      type: 'warning',
      code,
      message: `the model asks for ${key} ${share} in training, which is not applied: no ${dropped} is dropped`,
      where: format === 'huggingface' ? join(path, 'config.json') : path,
      next: `set ${key} to 0 there if that is fine; lora_dropout does drop inputs of the adapter`,
    }));
}

function partsLeftOut({ leftOut, path }: OpenModel): Warning[] {
  if (leftOut.length === 0) return [];
  return [
    {
      type: 'warning',
      code: 'model_parts_left_out',
      message: `the text model is used alone; left out: ${leftOut.join(', ')}`,
      where: path,
      next: 'what is exported is a text model, too',
    },
  ];
}
