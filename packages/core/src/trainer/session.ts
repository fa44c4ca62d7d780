import type { Engine, Plan } from '@anneal/kernels';
import { cacheWarning } from '../datasets/cacheWarning.ts';
import { sourcesOf } from '../datasets/chatRenderer.ts';
import { describeLeftOut } from '../datasets/leftOut.ts';
import { type Loader, openLoader } from '../datasets/loader.ts';
import { type PreparedData, type PrepareProgress, prepareData } from '../datasets/prepareData.ts';
import type { LeftOut } from '../datasets/types.ts';
import { describeUnread } from '../datasets/unreadColumns.ts';
import { refuseWhereKernelsAreMissing } from '../device.ts';
import { UserError } from '../errors.ts';
import { rowsTogether } from '../generate/generateTogether.ts';
import { encodePrompt, type ModelText, openModelText, withChosenTemplate } from '../generate/modelText.ts';
import { allocateEngine, hostBudget, memoryBudget } from '../memory.ts';
import { type LoraModuleSpec, type LoraSpec, loraSpec, loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { type Objective, objectiveOf } from '../objectives/index.ts';
import type { EventBody } from '../protocol/events.ts';
import { initializeLora } from './initialize.ts';
import { type Job, totalStepsOf } from './job.ts';
import { modelWarnings } from './modelWarnings.ts';
import { planTraining, type RolloutRoom } from './planTraining.ts';
import type { RolloutJob } from './rolloutOptions.ts';

/** Everything a job needs before its first step, with no weight loaded yet: what `estimate` looks at and `train` runs. */
export interface Session {
  readonly job: Job;
  readonly model: OpenModel;
  readonly text: ModelText;
  readonly data: PreparedData;
  readonly loader: Loader;
  readonly totalSteps: number;
  readonly lora: LoraSpec | null;
  readonly objective: Objective;
  /** Of `lora_model_dir`. */
  readonly initialAdapter: LoraWeights | null;
  readonly samplePrompts: readonly Int32Array[];
  readonly plan: Plan;
  readonly trainableParameters: number;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Where prepared tokens and the lists of dropped rows go. */
  readonly dataFolder: string;
  /** A folder in which prepared data are kept for others that prepare the same. */
  readonly preparedCache?: string | undefined;
  readonly onData?: ((progress: PrepareProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `strftime_now` of the chat template says: the date of the run, where there is one. */
  readonly now?: Date | undefined;
  /** Looks at model and text before anything is written to `dataFolder`; what it throws ends the opening. */
  readonly onOpened?: ((opened: Pick<Session, 'job' | 'model' | 'text'>) => Promise<void>) | undefined;
}

/** @throws UserError for anything that keeps the job from starting: model, data, template, adapter, memory */
export async function openSession(
  job: Job,
  { dataFolder, preparedCache, onData, signal, now, onOpened }: SessionOptions,
): Promise<Session> {
  const opened: { close(): unknown }[] = [];
  const close = async (): Promise<void> => {
    for (const resource of opened.toReversed()) await resource.close();
  };
  try {
    const base = openModel(job.modelPath);
    opened.push(base);
    refuseWhereKernelsAreMissing(base.config, job.device);
    const model = withChosenTemplate(base, job.data.text); // for its checkpoints, too
    const { adapter } = job;
    const text = openModelText(model, { ...job.data.text, now });
    await onOpened?.({ job, model, text });
    const initialAdapter = adapter?.initialFolder ? loadLoraWeights(adapter.initialFolder, model) : null;
    const lora = adapter && loraOf(adapter, model, initialAdapter);
    const objective = objectiveOf(job.objective);
    const nf4 = nf4Forms(model, job.quantization);
    if (nf4.size > 0 && !lora) throw cannotTrainQuantized(model);
    const data = await prepareData({
      ...job.data.prepare,
      folder: dataFolder,
      cache: preparedCache,
      tokenizer: text.tokenizer,
      renderer: text.renderer,
      ...(onData && { onProgress: onData }),
      ...(signal && { signal }),
    });
    opened.push(data.train, ...(data.validation ? [data.validation] : []));
    const loader = openLoader(dataFolder, 'train', job.steps);
    opened.push(loader);
    const samplePrompts = await Promise.all(
      job.samples.prompts.map(({ messages, tools }) => encodePrompt(text, messages, tools)),
    );
    const longestPrompt = largest(samplePrompts.map((prompt) => prompt.length));
    const longestValidation = largest(data.validation?.lengths ?? []);
    const longest = Math.max(largest(data.train.lengths), longestValidation);
    const { rollouts } = job;
    if (rollouts) refuseLongRope(model, longest + rollouts.maxTokens);
    const { plan, programs } = planTraining({
      config: model.config,
      device: job.device,
      weightType: job.weightType,
      nf4,
      lora,
      objective,
      optimizer: job.optimizer,
      maxTokens: rollouts
        ? rollouts.batchAnswers * (longest + rollouts.maxTokens)
        : Math.max(loader.maxTokens, longestValidation),
      activations: job.activations,
      memoryBudget: memoryBudget(job.device),
      hostBudget: hostBudget(),
      sampleContext: samplePrompts.length > 0 ? longestPrompt + job.samples.maxTokens : 0,
      rollouts: rollouts && rolloutRoom(rollouts, longest),
    });
    return {
      job,
      model,
      text,
      data,
      loader,
      totalSteps: totalStepsOf(job.length, loader.stepsPerEpoch),
      lora,
      objective,
      initialAdapter,
      samplePrompts,
      plan,
      trainableParameters: programs.parameters.reduce(
        (sum, { shape }) => sum + shape.reduce<number>((n, d) => n * Number(d), 1),
        0,
      ),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function rolloutRoom(
  { answers, answersAtOnce, maxTokens: maxNewTokens }: RolloutJob,
  longestPrompt: number,
): RolloutRoom {
  const promptTokens = (answersAtOnce / answers) * longestPrompt;
  return { answers: answersAtOnce, cacheRows: rowsTogether(promptTokens, { answers: answersAtOnce, maxNewTokens }) };
}

/** Sequences beside each other take the factors of the longest one: they must all be within the original context. */
function refuseLongRope({ path, config: { rope } }: OpenModel, tokens: number): void {
  if (rope.scaling?.kind !== 'longrope' || tokens <= rope.scaling.originalMaxPositions) return;
  throw new UserError({
    what: `with LongRoPE answers are sampled within ${rope.scaling.originalMaxPositions} tokens, prompt included; here they may have ${tokens}`,
    where: path,
    next: 'lower trl.max_completion_length, or leave out the longest prompts with a lower sequence_len',
    code: 'longrope_too_long',
  });
}

function cannotTrainQuantized({ path }: OpenModel): UserError {
  return new UserError({
    what: 'the weights are stored in 4 bits, which cannot be trained themselves',
    where: path,
    next: 'set adapter: qlora, or use the original checkpoint in bf16, f16 or f32',
    code: 'model_quantized',
  });
}

/**
 * The plan's engine with all weights in it: the base model's, and those of `checkpoint` where there is one, else a new adapter or that of
 * `lora_model_dir`.
 * @throws UserError when the memory is not there, or the checkpoint is of another model or another adapter
 */
export async function startEngine(session: Session, checkpoint: string | null): Promise<Engine> {
  const { job, model, plan, lora, initialAdapter } = session;
  const adapter = checkpoint && lora ? loadLoraWeights(checkpoint, model) : initialAdapter;
  if (checkpoint && lora && adapter) refuseOtherAdapter(checkpoint, loraSpecOf(adapter, lora.dropout), lora);
  const engine = allocateEngine(plan, job.device, {
    what: 'the run',
    next: 'lower sequence_len or micro_batch_size, set activations: offload on a GPU or recompute, or close other programs; `anneal estimate` shows the parts',
  });
  let weights = model;
  try {
    if (checkpoint && !lora) weights = openModel(checkpoint);
    await loadWeights(engine, weights);
    if (adapter) await writeLora(engine, adapter.modules);
    else if (lora) await initializeLora(engine, lora, job.seed);
    return engine;
  } catch (error) {
    await engine.dispose();
    throw error;
  } finally {
    if (weights !== model) weights.close();
  }
}

/** What a run says before its first step: `train` records it, `estimate` prints it. */
export function sessionEvents({
  job,
  model,
  text,
  data,
  objective,
  plan,
  totalSteps,
  trainableParameters,
}: Session): EventBody[] {
  const { rows, tokens, targetTokens, dropped, truncated, validationDocuments } = data.summary;
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
  if (totalSteps === 1 && job.scheduleFor(totalSteps)(0) === 0) {
    warnings.push({
      type: 'warning',
      code: 'nothing_learnt',
      message: 'the warm-up takes the only step of this run: at learning rate 0 nothing is learned',
      next: 'set warmup_ratio: 0, or train for more steps',
    });
  }
  for (const { path, unread } of data.summary.files.filter((file) => Object.keys(file.unread).length > 0)) {
    warnings.push({
      type: 'warning',
      code: 'columns_unread',
      message: `columns that nothing is learnt from: ${describeUnread(unread)}`,
      where: path,
      next: 'if one belongs to the text, name it with the field_… keys of the data set, or write the prompt out with type: {format: …}; if one says which messages are trained, with message_field_training',
    });
  }
  for (const [part, { rows: count, first }] of Object.entries(data.summary.leftOut)) {
    warnings.push({
      type: 'warning',
      code: 'content_left_out',
      message: `${describeLeftOut(part as LeftOut['part'], count)}; data/dropped.jsonl lists them`,
      where: first,
      next:
        part === 'earlier thinking'
          ? 'nothing, if the model is used with this chat template: it never sees earlier thoughts'
          : 'set `chat_template` to one that prints it',
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
      validationRows: validationDocuments / objective.answersPerRow,
    },
    ...warnings,
    { type: 'planned', memory: { ...plan.memory }, trainableParameters },
  ];
}

/** The variables handed to a chat template in whose source their name does not occur. */
function unreadVariables(
  { renderer }: ModelText,
  { templateVariables, enableThinking }: Job['data']['text'],
): string[] {
  const given = [...Object.keys(templateVariables ?? {}), ...(enableThinking === undefined ? [] : ['enable_thinking'])];
  return given.filter((name) => !(renderer && sourcesOf(renderer).some((source) => source.includes(name))));
}

function loraOf(adapter: NonNullable<Job['adapter']>, model: OpenModel, initial: LoraWeights | null): LoraSpec {
  if (initial) {
    refuseOtherKind(adapter, initial);
    return loraSpecOf(initial, adapter.options.dropout);
  }
  return loraSpec(
    adapter.options,
    targetedLinears(model.config, model.architecture.names, adapter.targets as string | string[]),
  );
}

function refuseOtherKind({ options, initialFolder }: NonNullable<Job['adapter']>, initial: LoraWeights): void {
  if (initial.dora === options.dora) return;
  throw new UserError({
    what: `the adapter of lora_model_dir ${initial.dora ? 'is of DoRA, and peft_use_dora is not true' : 'is not of DoRA, which peft_use_dora asks for'}`,
    where: initialFolder ?? undefined,
    next: `set peft_use_dora: ${initial.dora}`,
    code: 'adapter_of_another_kind',
  });
}

/** Factors of another rank would fill the wrong rows of the plan's, and with another scale they would mean another model. */
function refuseOtherAdapter(checkpoint: string, stored: LoraSpec, wanted: LoraSpec): void {
  const linears = new Set([...stored.modules.keys(), ...wanted.modules.keys()]);
  for (const linear of linears) {
    const [found, planned] = [stored, wanted].map(({ modules, dora }) => inWords(modules.get(linear), dora));
    if (found === planned) continue;
    throw new UserError({
      what: `the checkpoint has ${found} on ${linear}, this recipe ${planned}`,
      where: checkpoint,
      next: 'use the lora_… settings that the checkpoint was made with',
      code: 'checkpoint_of_another_run',
    });
  }
}

/** The scale is stored as an alpha, which may cost its last bits. */
function inWords(module: LoraModuleSpec | undefined, dora: boolean): string {
  const kind = dora ? 'a DoRA adapter' : 'an adapter';
  return module ? `${kind} of rank ${module.rank} and scale ${Number(module.scale.toPrecision(9))}` : 'no adapter';
}

function largest(counts: Iterable<number>): number {
  let most = 0;
  for (const count of counts) most = Math.max(most, count);
  return most;
}
