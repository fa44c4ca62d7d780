import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { isJsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { UserError } from '../../errors.ts';

/** The places where a folder may keep its chat template, in the order in which transformers prefers them. */
export function readChatTemplate(folder: string): string | null {
  const jinja = join(folder, 'chat_template.jinja');
  if (existsSync(jinja)) return Buffer.from(readSmallFile(jinja, LIMITS.configBytes)).toString('utf8');
  for (const name of ['chat_template.json', 'tokenizer_config.json']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const template = parseJsonObject(readSmallFile(path, LIMITS.configBytes), path)['chat_template'];
    if (template !== undefined && template !== null) return defaultTemplate(template, path);
  }
  return null;
}

/** One template, or a list of named ones of which `default` is meant. */
function defaultTemplate(value: unknown, where: string): string {
  const template = Array.isArray(value)
    ? value.find((entry) => isJsonObject(entry) && entry['name'] === 'default')?.template
    : value;
  if (typeof template === 'string') return template;
  throw new UserError({
    what: 'chat_template is neither a string nor a list with a template named default',
    where,
    next: 'put the template into chat_template.jinja beside it',
    code: 'chat_template_invalid',
  });
}
