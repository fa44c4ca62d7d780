import { parseJsonObject } from '@anneal/formats/json';
import { type ChatTemplates, NAMED_FOLDER, TEMPLATE_FILE } from '../templates/chatTemplates.ts';
import type { OpenModel } from './model.ts';

const CONFIG_FILE = 'tokenizer_config.json';
/** Whatever holds templates and nothing else. */
const TEMPLATE_FILES = /^(chat_template\.(jinja|json)|additional_chat_templates\/.*)$/;

/** The model as if it had come with these chat templates and no others, so that exports carry what it was trained with. */
export function withChatTemplates(model: OpenModel, templates: ChatTemplates): OpenModel {
  const files = new Map([
    [TEMPLATE_FILE, templates.default],
    ...Object.entries(templates.named).map(([name, source]) => [`${NAMED_FOLDER}/${name}.jinja`, source] as const),
  ]);
  return {
    ...model,
    chatTemplates: templates,
    tokenizerFiles: [...model.tokenizerFiles.filter((name) => !TEMPLATE_FILES.test(name)), ...files.keys()],
    readTokenizerFile: (name) => {
      const source = files.get(name);
      if (source !== undefined) return Buffer.from(source);
      const bytes = model.readTokenizerFile(name);
      return name === CONFIG_FILE ? withoutTemplate(bytes, `${model.path}/${name}`) : bytes;
    },
  };
}

/** Otherwise two templates would contradict each other, and which one counts would depend on the reader. */
function withoutTemplate(bytes: Uint8Array, where: string): Uint8Array {
  const { chat_template: template, ...rest } = parseJsonObject(bytes, where);
  return template === undefined ? bytes : Buffer.from(`${JSON.stringify(rest, null, 2)}\n`);
}
