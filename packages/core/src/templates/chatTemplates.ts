/** Where a model keeps its chat templates. Training, chat, inspection and every export read them here, and nowhere else. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { isJsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';

/** Jinja sources: the one that is meant where nothing else is said, and others by name. */
export interface ChatTemplates {
  readonly default: string;
  /** `tool_use` is meant for conversations with tools; `rag` and others only where somebody asks for them. */
  readonly named: Readonly<Record<string, string>>;
}

export const TEMPLATE_FILE = 'chat_template.jinja';
export const NAMED_FOLDER = 'additional_chat_templates';
/** A name becomes the name of a file. */
const NAME = /^\w[\w.-]*$/;

/** Of a conversation with tools, as transformers chooses it; null where the default is meant. */
export function toolTemplate({ named }: ChatTemplates): string | null {
  return named['tool_use'] ?? null;
}

/** Files of the folder that hold nothing but templates, with `/` between folder and name. */
export function templateFiles(folder: string): string[] {
  return [TEMPLATE_FILE, 'chat_template.json', ...namedFiles(folder)].filter((name) => existsSync(join(folder, name)));
}

/**
 * `chat_template.jinja` with `additional_chat_templates/*.jinja`, then tokenizer_config.json, as tokenizers of transformers read
 * them; then `chat_template.json`, which there belongs to processors of multimodal models and no tokenizer reads. Named files
 * without a `chat_template.jinja` join what comes after.
 * @returns null for a folder without a template
 * @throws UserError `chat_template_invalid`
 */
export function readChatTemplates(folder: string): ChatTemplates | null {
  const read = (name: string): string => Buffer.from(readSmallFile(join(folder, name), LIMITS.configBytes)).toString();
  const named = Object.fromEntries(
    namedFiles(folder).map((name) => [name.slice(NAMED_FOLDER.length + 1, -'.jinja'.length), read(name)]),
  );
  if (existsSync(join(folder, TEMPLATE_FILE))) return { default: read(TEMPLATE_FILE), named };
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const { chat_template: value } = parseJsonObject(readSmallFile(path, LIMITS.configBytes), path);
    const templates = templatesOf(value, path);
    if (templates) return { ...templates, named: { ...templates.named, ...named } };
  }
  return null;
}

function namedFiles(folder: string): string[] {
  const path = join(folder, NAMED_FOLDER);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) return [];
  if (!status.isDirectory()) {
    throw new UserError({
      what: 'this is where a model keeps a folder of chat templates, and it is no folder',
      where: path,
      next: 'remove it, or download the model again',
      code: 'chat_template_invalid',
    });
  }
  const files = readdirSync(path).filter((name) => name.endsWith('.jinja'));
  return files.toSorted().map((name) => `${NAMED_FOLDER}/${name}`);
}

/**
 * A `chat_template` of tokenizer_config.json: one text, or named ones in a list or an object.
 * @throws UserError `chat_template_invalid`
 */
export function templatesOf(value: unknown, where: string): ChatTemplates | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return { default: value, named: {} };
  const entries = (Array.isArray(value) ? value : []).map((entry) => (isJsonObject(entry) ? entry : {}));
  const byName = new Map<unknown, unknown>(
    isJsonObject(value) ? Object.entries(value) : entries.map(({ name, template }) => [name, template]),
  );
  const source = byName.get('default');
  byName.delete('default');
  if (typeof source === 'string' && [...byName].every(isNamedTemplate)) {
    return { default: source, named: Object.fromEntries(byName) as Record<string, string> };
  }
  const names = [...byName].filter(isNamedTemplate).map(([name]) => name);
  const hasNoDefault = source === undefined && names.length > 0 && names.length === byName.size;
  throw new UserError({
    what: hasNoDefault
      ? `chat_template has templates named ${names.join(', ')}, and none named default`
      : 'chat_template is neither a string nor named templates with one named default',
    where,
    next: hasNoDefault
      ? `save the one for all conversations as ${TEMPLATE_FILE} beside it; one for conversations with tools alone as ${NAMED_FOLDER}/tool_use.jinja`
      : `put the template into ${TEMPLATE_FILE} beside it`,
    code: 'chat_template_invalid',
  });
}

function isNamedTemplate([name, template]: [unknown, unknown]): boolean {
  return typeof name === 'string' && NAME.test(name) && typeof template === 'string';
}

/** The reverse: what `templatesOf` reads. */
export function chatTemplateValue(templates: ChatTemplates): string | { name: string; template: string }[] {
  const named = Object.entries(templates.named).map(([name, template]) => ({ name, template }));
  return named.length === 0 ? templates.default : [{ name: 'default', template: templates.default }, ...named];
}
