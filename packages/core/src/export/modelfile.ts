import { basename, dirname, join } from 'node:path';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import { metadataBoolean, metadataNumber, metadataStrings } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { TOOL } from '../datasets/callForm.ts';
import { recommendedSampling } from '../generate/presets.ts';
import type { OpenModel } from '../models/model.ts';
import { toolTemplate } from '../templates/chatTemplates.ts';
import { printsTools } from '../templates/printsTools.ts';
import { openTemplate } from '../templates/template.ts';
import { type Bos, matchFamily, type OllamaTemplate } from './ollama/match.ts';
import type { ExportResult } from './result.ts';

/** Ollama's own num_ctx is a few thousand tokens, and what is longer it cuts without a word. A larger cache takes more memory. */
const CONTEXT = 8192;

/**
 * Writes `Modelfile` beside a GGUF file: `ollama create NAME -f Modelfile` then chats as the model was trained to.
 * @param ggufPath an exported file of this model; its tokenizer is the one that counts here
 * @param now the date of the run, for templates that print one
 */
export async function exportModelfile(
  ggufPath: string,
  model: OpenModel,
  { now }: { readonly now?: Date | undefined } = {},
): Promise<ExportResult> {
  const { bos, ends } = readSpecialTokens(ggufPath, model.config.eosTokenIds);
  const tokens = { bos: bos?.text, eos: ends[0] };
  const { chatTemplates } = model;
  const opened = chatTemplates && {
    plain: openTemplate(chatTemplates.default, tokens),
    forTools: openTemplate(toolTemplate(chatTemplates) ?? chatTemplates.default, tokens),
  };
  const template = opened && matchFamily(opened.plain, bos, now, opened.forTools);
  const path = join(dirname(ggufPath), 'Modelfile');
  const missing = template ? null : noTemplate(chatTemplates !== null);
  const lacksTools = template && !template.tools && printsTools(opened.forTools, [TOOL]);
  const warnings = [...(missing === null ? [] : [missing]), ...(lacksTools ? [NO_TOOLS] : [])];
  const recommended = recommendedSampling(model, false);
  const text = modelfileText({
    gguf: basename(ggufPath),
    template,
    warnings,
    ends,
    contextLength: model.config.maxPositions,
    sampling: {
      temperature: recommended.temperature,
      top_k: recommended.topK,
      top_p: recommended.topP,
      min_p: recommended.minP,
      repeat_penalty: recommended.repetitionPenalty,
      ...(model.generationConfig?.['do_sample'] === true ? {} : template?.sampling),
    },
  });
  await writeAtomically(path, (file) => file.write(Buffer.from(text)));
  return { path, files: [{ path, bytes: Buffer.byteLength(text) }], warnings };
}

/** @param eosTokenIds of the model, which may be more than the file names */
function readSpecialTokens(ggufPath: string, eosTokenIds: readonly number[]): { bos: Bos | null; ends: string[] } {
  const source = openGguf(ggufPath);
  const { metadata } = source;
  source.close();
  const tokens = metadataStrings(metadata, 'tokenizer.ggml.tokens', ggufPath) ?? [];
  const text = (id: number | undefined): string | undefined => (id === undefined ? undefined : tokens[id]);
  const bos = text(metadataNumber(metadata, 'tokenizer.ggml.bos_token_id', ggufPath));
  const eos = metadataNumber(metadata, 'tokenizer.ggml.eos_token_id', ggufPath);
  const added = metadataBoolean(metadata, 'tokenizer.ggml.add_bos_token', ggufPath) ?? false;
  return {
    bos: bos === undefined ? null : { text: bos, added },
    ends: [...new Set([eos, ...eosTokenIds])].map(text).filter((end) => end !== undefined),
  };
}

interface ModelfileParts {
  readonly gguf: string;
  readonly template: OllamaTemplate | null;
  /** What will be different from the model's own template. */
  readonly warnings: readonly string[];
  /** Texts of the tokens that end a generation. */
  readonly ends: readonly string[];
  /** Tokens that the model was made for. */
  readonly contextLength: number;
  /** What `anneal chat` samples with, by Ollama's names. */
  readonly sampling: Readonly<Record<string, number>>;
}

export function modelfileText({ gguf, template, warnings, ends, contextLength, sampling }: ModelfileParts): string {
  const stops = new Set([...ends, ...(template?.stops ?? [])]);
  return [
    `FROM ./${gguf}`,
    '',
    ...warnings.map((warning) => `# ${warning}`),
    ...(template
      ? [`# ${template.name}, checked against the model's own chat template`, `TEMPLATE ${quoted(template.template)}`]
      : []),
    ...(template?.system ? ['', `SYSTEM ${quoted(template.system)}`] : []),
    '',
    ...Array.from(stops, (stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
    `# ${contextLength} tokens at most; more take more memory`,
    `PARAMETER num_ctx ${Math.min(contextLength, CONTEXT)}`,
    ...Object.entries(sampling).map(([name, value]) => `PARAMETER ${name} ${value}`),
    '',
  ].join('\n');
}

/** Ollama knows no escapes between triple quotes; `matchFamily` lets no text through that contains them. */
function quoted(text: string): string {
  return `"""${text}"""`;
}

const NO_TOOLS =
  'The TEMPLATE hands no tools to the model, though its chat template does: for tools leave TEMPLATE out, so that Ollama ' +
  'may recognize the one inside the GGUF file, or add .Tools and .ToolCalls by hand.';

function noTemplate(hasTemplate: boolean): string {
  return hasTemplate
    ? 'No TEMPLATE is given: the chat template of this model belongs to no family that Anneal can write for Ollama. ' +
        'Ollama may recognize the one inside the GGUF file (see `ollama show --template`); otherwise write it by hand.'
    : 'No TEMPLATE is given: this model has no chat template and completes bare text.';
}
