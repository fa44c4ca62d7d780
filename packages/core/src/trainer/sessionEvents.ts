import { cacheWarning } from '../datasets/cacheWarning.ts';
import { sourcesOf } from '../datasets/chatRenderer.ts';
import { BEGINS_THOUGHTS, describeLeftOut } from '../datasets/leftOut.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import type { LeftOut, Side } from '../datasets/types.ts';
import { adviceOnUnread, describeUnread } from '../datasets/unreadColumns.ts';
import type { ModelText } from '../generate/modelText.ts';
import { outerMatrices } from '../models/adapters/embeddings.ts';
import { withoutBias } from '../models/adapters/merge.ts';
import type { EventBody } from '../protocol/events.ts';
import { memoryOf } from './fit.ts';
import type { Job } from './job.ts';
import { keysOutvoted } from './jobAdapter.ts';
import { modelWarnings } from './modelWarnings.ts';
import type { Session } from './session.ts';

/** What a run says before its first step: `train` records it, `estimate` prints it. */
export function sessionEvents({
  job,
  model,
  text,
  data,
  lora,
  initialAdapter,
  objective,
  plan,
  rewardModels,
  totalSteps,
  learningRate,
  trainableParameters,
}: Session): EventBody[] {
  const { rows, tokens, targetTokens, dropped, truncated, trainDocuments, validationDocuments } = data.summary;
  const warnings: EventBody[] = modelWarnings(model);
  if (data.cacheError) warnings.push(cacheWarning('prepared data', data.cacheError));
  for (const { path } of data.summary.files.filter(({ rejectedUnread }) => rejectedUnread)) {
    warnings.push({
      type: 'warning',
      code: 'rejected_unread',
      message: 'the data are preference pairs: the chosen answers are trained, the rejected ones are not read',
      where: path,
    });
  }
  for (const name of unreadVariables(text, job.data.text)) {
    warnings.push({
      type: 'warning',
      code: 'template_variable_unread',
      message: `the chat template does not read \`${name}\` of chat_template_kwargs: it changes nothing`,
      next: 'remove it, or set a chat_template that knows it',
    });
  }
  const judged = sidesOf(data.train);
  if (judged.size === 1 && !judged.has('none')) {
    const kind = judged.has('chosen') ? 'good' : 'bad';
    warnings.push({
      type: 'warning',
      code: 'answers_of_one_kind',
      message: `every answer to train on is marked as a ${kind} one: nothing says what sets it apart from a ${kind === 'good' ? 'bad' : 'good'} one`,
      where: data.summary.files[0]?.path,
      next:
        kind === 'good'
          ? 'add rows with `label: false`, or train the answers without `rl`'
          : 'add rows with `label: true`: the model only learns to avoid these answers, whatever it says instead',
    });
  }
  const outvoted = job.adapter && lora && initialAdapter ? keysOutvoted(job.adapter, lora, model) : [];
  if (outvoted.length > 0) {
    warnings.push({
      type: 'warning',
      code: 'adapter_keeps_its_own',
      message: `the adapter of lora_model_dir goes on with its own ranks, scales and layers: ${outvoted.join(', ')} of this recipe would be others, and change nothing`,
      where: job.adapter?.initialFolder ?? undefined,
      next: 'set them as its adapter_config.json has them, or begin a new adapter without lora_model_dir',
    });
  }
  const unmergeable = lora?.loraBias ? withoutBias(model, [...lora.modules.keys()]) : [];
  if (unmergeable.length > 0) {
    warnings.push({
      type: 'warning',
      code: 'adapter_not_mergeable',
      message: `this adapter cannot be merged: ${unmergeable[0]} has no bias in the base, which that of peft_lora_bias could be added to`,
      next: 'if you want a merged model or a GGUF file, remove peft_lora_bias or list only layers with a bias in lora_target_modules',
    });
  }
  const outer = outerMatrices.filter((name) => lora?.modules.has(name));
  if (model.config.tieWordEmbeddings && outer.length > 0) {
    warnings.push({
      type: 'warning',
      code: 'adapter_not_mergeable',
      message: `this adapter cannot be merged: it is on ${outer.join(' and ')}, and embedding and output layer are one matrix in this base`,
      next: 'if you want a merged model or a GGUF file, take embed_tokens and lm_head out of lora_target_modules, or train them by lora_modules_to_save',
    });
  }
  if (totalSteps === 1 && learningRate(0) === 0) {
    warnings.push({
      type: 'warning',
      code: 'nothing_learned',
      message: 'the warm-up takes the only step of this run: at learning rate 0 nothing is learned',
      next: 'set warmup_ratio: 0, or train for more steps',
    });
  }
  for (const { path, unread } of data.summary.files.filter((file) => Object.keys(file.unread).length > 0)) {
    warnings.push({
      type: 'warning',
      code: 'columns_unread',
      message: `columns that nothing is learned from: ${describeUnread(unread)}`,
      where: path,
      next: adviceOnUnread(unread),
    });
  }
  for (const [part, { rows: count, first }] of Object.entries(data.summary.leftOut)) {
    warnings.push({
      type: 'warning',
      code: 'content_left_out',
      message: `${describeLeftOut(part as LeftOut['part'], count)}; data/dropped.jsonl lists them`,
      where: first,
      next: LEFT_OUT_ADVICE[part] ?? 'set `chat_template` to one that prints it',
    });
  }
  return [
    {
      type: 'data_prepared',
      rows,
      tokens,
      targetTokens,
      dropped,
      truncated,
      trainingRows: trainDocuments / objective.answersPerRow,
      validationRows: validationDocuments / objective.answersPerRow,
    },
    ...warnings,
    { type: 'planned', memory: memoryOf({ plan, rewardModels }), trainableParameters },
  ];
}

const LEFT_OUT_ADVICE: Readonly<Record<string, string>> = {
  'earlier thinking': 'nothing, if the model is used with this chat template: it never sees earlier thoughts',
  turns:
    'if they were rendered before, write the messages as they were said, or train the whole text with `type: completion`',
  prompt: `where the template ${BEGINS_THOUGHTS}; else set another \`chat_template\``,
};

const sidesOf = (store: TokenStore): Set<Side> =>
  new Set(Array.from({ length: store.count }, (_, document) => store.side(document)));

/** The variables handed to a chat template in whose source their name does not occur. */
function unreadVariables(
  { renderer }: ModelText,
  { templateVariables, enableThinking }: Job['data']['text'],
): string[] {
  const given = [...Object.keys(templateVariables ?? {}), ...(enableThinking === undefined ? [] : ['enable_thinking'])];
  return given.filter((name) => !(renderer && sourcesOf(renderer).some((source) => source.includes(name))));
}
