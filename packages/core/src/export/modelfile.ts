import { basename, dirname, join } from 'node:path';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import { metadataBoolean, metadataNumber, metadataStrings } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import type { JsonObject } from '@anneal/formats/json';
import type { OpenModel } from '../models/model.ts';
import { openTemplate } from '../templates/template.ts';
import { type Bos, matchFamily, type OllamaTemplate } from './ollama/match.ts';
import type { ExportResult } from './result.ts';

/** generation_config.json ↔ Ollama. */
const PARAMETERS = {
  temperature: 'temperature',
  top_k: 'top_k',
  top_p: 'top_p',
  min_p: 'min_p',
  repetition_penalty: 'repeat_penalty',
} as const;

/**
 * Writes `Modelfile` beside a GGUF file: `ollama create NAME -f Modelfile` then chats as the model was trained to.
 * @param ggufPath an exported file of this model; its tokenizer is the one that counts here
 */
export async function exportModelfile(ggufPath: string, model: OpenModel): Promise<ExportResult> {
  const { bos, ends } = readSpecialTokens(ggufPath, model.config.eosTokenIds);
  const template =
    model.chatTemplate === null
      ? null
      : matchFamily(openTemplate(model.chatTemplate, { bos: bos?.text, eos: ends[0] }), bos);
  const path = join(dirname(ggufPath), 'Modelfile');
  const missing = template ? null : noTemplate(model.chatTemplate !== null);
  const text = modelfileText({ gguf: basename(ggufPath), template, missing, ends, generation: model.generationConfig });
  await writeAtomically(path, (file) => file.write(Buffer.from(text)));
  return { path, files: [{ path, bytes: Buffer.byteLength(text) }], warnings: missing === null ? [] : [missing] };
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
  /** Why there is no template. */
  readonly missing: string | null;
  /** Texts of the tokens that end a generation. */
  readonly ends: readonly string[];
  readonly generation: JsonObject | null;
}

export function modelfileText({ gguf, template, missing, ends, generation }: ModelfileParts): string {
  const stops = new Set([...ends, ...(template?.stops ?? [])]);
  const sampling = samplingOf(generation) ?? template?.sampling ?? {};
  return [
    `FROM ./${gguf}`,
    '',
    ...(missing === null ? [] : [`# ${missing}`]),
    ...(template
      ? [`# ${template.name}, checked against the model's own chat template`, `TEMPLATE ${quoted(template.template)}`]
      : []),
    ...(template?.system ? ['', `SYSTEM ${quoted(template.system)}`] : []),
    '',
    ...Array.from(stops, (stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
    ...Object.entries(sampling).map(([name, value]) => `PARAMETER ${name} ${value}`),
    '',
  ].join('\n');
}

/** What the model's makers recommend; null where generation_config.json asks for greedy decoding or says nothing. */
function samplingOf(generation: JsonObject | null): Record<string, number> | null {
  if (generation?.['do_sample'] !== true) return null;
  const entries = Object.entries(PARAMETERS).flatMap(([theirs, ours]) => {
    const value = generation[theirs];
    return typeof value === 'number' ? [[ours, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** Ollama knows no escapes between triple quotes; `matchFamily` lets no text through that contains them. */
function quoted(text: string): string {
  return `"""${text}"""`;
}

function noTemplate(hasTemplate: boolean): string {
  return hasTemplate
    ? 'No TEMPLATE is given: the chat template of this model belongs to no family that Anneal can write for Ollama. ' +
        'Ollama may recognize the one inside the GGUF file (see `ollama show --template`); otherwise write it by hand.'
    : 'No TEMPLATE is given: this model has no chat template and completes bare text.';
}
