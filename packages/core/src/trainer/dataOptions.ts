import { listDataFiles } from '../datasets/dataFiles.ts';
import type { DatasetInput, PrepareOptions } from '../datasets/prepareData.ts';
import type { ModelTextOptions } from '../generate/modelText.ts';
import { pulledFiles } from '../hub/datasets/cache.ts';
import type { ResolvedRecipe } from '../recipe/resolve.ts';
import { hubSelection } from '../recipe/resolveDataset.ts';
import type { PromptFormat } from '../templates/promptFormat.ts';
import { answerModeOf } from './objectiveOptions.ts';

/** What the data path takes from a recipe; the trainer, the inspector and `estimate` all start from this. */
export interface DataOptions {
  readonly text: ModelTextOptions;
  readonly prepare: Omit<PrepareOptions, 'tokenizer' | 'renderer' | 'folder' | 'cache' | 'onProgress' | 'signal'>;
}

type ResolvedDataset = ResolvedRecipe['datasets'][number];

/** How the model reads and writes text while it is trained, and so afterwards. */
export function textOptions(recipe: ResolvedRecipe): ModelTextOptions {
  const { enable_thinking: enableThinking, ...templateVariables } = recipe.chat_template_kwargs ?? {};
  return {
    chatTemplate: recipe.chat_template === 'tokenizer_default' ? null : recipe.chat_template,
    promptFormat: promptFormatOf(recipe),
    ...(typeof enableThinking === 'boolean' && { enableThinking }),
    templateVariables,
  };
}

/** The prompt that the data sets write out; all that do, write the same. */
function promptFormatOf({ datasets, test_datasets: tests }: ResolvedRecipe): PromptFormat | null {
  const prompt = [...datasets, ...(tests ?? [])].map(({ type }) => type).find((type) => typeof type === 'object');
  if (!prompt) return null;
  const { format, no_input_format: noInputFormat, system_format: systemFormat, system_prompt: systemPrompt } = prompt;
  return { format, noInputFormat, systemFormat, systemPrompt };
}

/** @throws UserError when a folder of data has no matching files, or a data set of a hub has not been pulled */
export function dataOptions(recipe: ResolvedRecipe): DataOptions {
  return {
    text: textOptions(recipe),
    prepare: {
      datasets: recipe.datasets.map((dataset) => datasetInput(dataset, recipe.train_on_inputs)),
      validationDatasets: (recipe.test_datasets ?? []).map((dataset) => datasetInput(dataset, recipe.train_on_inputs)),
      answers: answerModeOf(recipe),
      deduplicate: recipe.dataset_exact_deduplication,
      validationSize: recipe.val_set_size,
      seed: recipe.seed,
      sequenceLen: recipe.sequence_len - (recipe.trl?.max_completion_length ?? 0),
      excessLength: recipe.excess_length_strategy,
    },
  };
}

/** @throws UserError `dataset_not_pulled` */
export function requireDatasets({ datasets, test_datasets: tests }: ResolvedRecipe): void {
  for (const dataset of [...datasets, ...(tests ?? [])]) if (hubSelection(dataset)) filesOf(dataset);
}

function filesOf(dataset: ResolvedDataset): string[] {
  const selection = hubSelection(dataset);
  if (selection) return pulledFiles(dataset.path, selection);
  return listDataFiles(dataset.path, { only: dataset.data_files, split: dataset.split });
}

function datasetInput(dataset: ResolvedDataset, trainOnInputs: boolean): DatasetInput {
  const prompt = typeof dataset.type === 'object' ? dataset.type : null;
  return {
    files: filesOf(dataset),
    type: prompt ? 'prompt' : String(dataset.type),
    fields: {
      fieldMessages: dataset.field_messages,
      messageProperties: dataset.message_property_mappings,
      roles: dataset.roles,
      fieldSystem: prompt ? prompt.field_system : dataset.field_system,
      fieldTools: dataset.field_tools,
      fieldInstruction: prompt ? prompt.field_instruction : dataset.field_instruction,
      fieldInput: prompt ? prompt.field_input : dataset.field_input,
      fieldOutput: prompt ? prompt.field_output : dataset.field_output,
      fieldThinking: prompt?.format.includes('{thinking}') ? prompt.field_thinking : null,
      promptFormat: prompt?.format ?? null,
      fieldText: dataset.field,
      fieldChosen: dataset.field_chosen,
      fieldRejected: dataset.field_rejected,
      // Left out where there is none: what was prepared before there were margins stays as it is.
      ...(dataset.field_margin && { fieldMargin: dataset.field_margin }),
      fieldTraining: dataset.message_field_training,
    },
    mask: { rolesToTrain: dataset.roles_to_train, trainOnEos: dataset.train_on_eos, trainOnInputs },
    weight: dataset.weight ?? 1,
    percent: dataset.percent,
    maxSamples: dataset.max_samples,
  };
}
