/** A trained reward model as it lies in a folder: a checkpoint of `rl: reward`, an adapter, or a folder of transformers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../errors.ts';
import { type ModelText, openModelText } from '../generate/modelText.ts';
import { resolveModelPath } from '../hub/resolve.ts';
import { baseNamedBy, type NamedBase } from '../models/adapters/baseOfAdapter.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { withScoreHead } from '../models/scoreHead.ts';
import { readChatTemplates } from '../templates/chatTemplates.ts';
import type { ModelReward } from './answer.ts';

/** Its files, with nothing loaded but an adapter. */
export interface OpenRewardModel {
  readonly reward: ModelReward;
  readonly model: OpenModel;
  readonly text: ModelText;
  readonly adapter: LoraWeights | null;
  /** Files with what it scores by. */
  readonly files: readonly string[];
}

/**
 * @param now what `strftime_now` of the chat template says
 * @throws UserError `not_a_reward_model`, and whatever keeps a model, an adapter or a text from being opened
 */
export async function openRewardModel(reward: ModelReward, now?: Date): Promise<OpenRewardModel> {
  const { path } = reward;
  if (existsSync(join(path, 'events.jsonl'))) throw isRun(path);
  const isAdapter = existsSync(join(path, 'adapter_config.json'));
  const base = isAdapter ? baseOf(path) : null;
  const model = openModel(resolveModelPath(base?.baseModel ?? path, { revision: base?.revision }));
  try {
    if (!isAdapter && !model.config.scoreHead) throw givesText(path);
    const scored = withScoreHead(model);
    const text = openModelText(scored, { now, chatTemplates: isAdapter ? readChatTemplates(path) : null });
    if (!text.renderer) throw withoutTemplate(path);
    const adapter = isAdapter ? await loadLoraWeights(path, scored) : null;
    const ofAdapter = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => join(path, name));
    return { reward, model: scored, text, adapter, files: [...model.files, ...(isAdapter ? ofAdapter : [])] };
  } catch (error) {
    model.close();
    throw error;
  }
}

function baseOf(folder: string): NamedBase {
  const { tensors, config } = readPeftAdapter(folder);
  tensors.close();
  if (config.taskType !== 'SEQ_CLS') throw givesText(folder);
  return baseNamedBy(config, folder);
}

const givesText = (where: string): UserError =>
  new UserError({
    what: 'this model gives text, and no score',
    where,
    next: 'name one that was trained with `rl: reward`, or a folder for AutoModelForSequenceClassification with one label; a model that judges in words is `type: judge`',
    code: 'not_a_reward_model',
  });

const isRun = (where: string): UserError =>
  new UserError({
    what: 'this is a run, and each of its checkpoints is another reward model',
    where,
    next: 'name a checkpoint: the folder checkpoints/checkpoint-N in it (`anneal runs show` lists them)',
    code: 'not_a_reward_model',
  });

const withoutTemplate = (where: string): UserError =>
  new UserError({
    what: 'the reward model has no chat template, so it cannot be shown a conversation',
    where,
    next: 'put the chat_template.jinja that it was trained with into its folder',
    code: 'template_missing',
  });
