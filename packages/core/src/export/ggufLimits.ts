/** What a GGUF file cannot carry, and what llama.cpp makes otherwise of one. */
import { limitsInLlamaCpp } from '@anneal/formats/gguf/tokenizer/limits';
import { parseJsonObject } from '@anneal/formats/json';
import { UserError } from '../errors.ts';
import type { OpenModel } from '../models/model.ts';
import { ggufMetadata } from './ggufMetadata.ts';
import { FILE_TYPES } from './ggufTypes.ts';
import { tokenizerWarnings } from './writeTokenizer.ts';

/**
 * Looks at config and tokenizer before anything is written.
 * @throws UserError for what a GGUF file cannot carry, or llama.cpp would compute differently without saying so
 */
export function checkGgufExport(model: OpenModel): void {
  refuseWhatGgufCannotSay(model);
  ggufMetadata(model, '', FILE_TYPES.f32.number);
}

/** @throws UserError as `checkGgufExport`, without a look at the tokenizer */
export function refuseWhatGgufCannotSay({ path, config, architecture }: OpenModel): void {
  const { scaling } = config.rope;
  const { addsOutputBias = architecture.gguf === 'llama', roundsYarn = false } = architecture.ggufPart ?? {};
  const reason = config.scoreHead
    ? 'it is a reward model, and the files that Anneal writes hold no head of scores'
    : scaling?.kind === 'llama3' && architecture.gguf !== 'llama'
      ? `llama.cpp knows Llama 3's rope scaling only for Llama, not for ${architecture.modelType}`
      : scaling?.kind === 'yarn' &&
          !((scaling.truncate || roundsYarn) && scaling.betaFast === 32 && scaling.betaSlow === 1)
        ? 'llama.cpp knows YaRN only with beta_fast 32, beta_slow 1 and truncate'
        : config.outputBias && !addsOutputBias
          ? `llama.cpp knows no bias on the attention output of ${architecture.modelType}`
          : (architecture.ggufPart?.refusal(config) ?? null);
  if (reason === null) return;
  throw new UserError({
    what: `this model cannot be exported to GGUF: ${reason}`,
    where: path,
    next: 'export it as a merged Hugging Face folder',
    code: 'export_unsupported',
  });
}

/** What llama.cpp will compute otherwise, or lacks, of a model that can be exported: sentences to warn with. */
export function differencesInLlamaCpp(model: OpenModel): string[] {
  const { config, architecture, tokenizerFiles } = model;
  const isHonored = architecture.ggufPart?.honorsWindow ?? false;
  const window = isHonored ? null : (config.slidingWindow.find((keys) => keys !== null) ?? null);
  return [
    ...(window === null
      ? []
      : [`llama.cpp ignores the sliding window of this model: beyond ${window} tokens its answers will differ.`]),
    ...(config.rope.scaling?.kind === 'yarn' && !config.rope.scaling.truncate
      ? [
          'llama.cpp rounds the ends of the ramp of YaRN, which this model does not: its answers may differ a little, ' +
            `as they do for every GGUF file of ${architecture.modelType}.`,
        ]
      : []),
    ...(config.rope.scaling?.kind === 'longrope'
      ? [
          `llama.cpp takes the long factors of LongRoPE wherever its context is larger than ${config.rope.scaling.originalMaxPositions} ` +
            'tokens, not where the text is: start it with that context for short texts.',
        ]
      : []),
    ...(config.rope.scaling?.kind === 'dynamic'
      ? [
          `llama.cpp does not know dynamic NTK: beyond ${config.rope.scaling.originalMaxPositions} tokens its answers will differ.`,
        ]
      : []),
    ...(tokenizerFiles.includes('tokenizer.json')
      ? limitsInLlamaCpp(parseJsonObject(model.readTokenizerFile('tokenizer.json'), `${model.path}: tokenizer.json`))
      : ['The model has no tokenizer, so the files take and give token ids only.']),
    ...tokenizerWarnings(model).map((warning) => `${warning} The files do not have them.`),
  ];
}
