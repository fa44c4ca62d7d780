import type { OpenModel } from './model.ts';

/** The file that transformers prefers over every other place for a template. */
const TEMPLATE_FILE = 'chat_template.jinja';

/** The model as if it had come with this chat template, so that exports carry the one it was trained with. */
export function withChatTemplate(model: OpenModel, source: string): OpenModel {
  return {
    ...model,
    chatTemplate: source,
    tokenizerFiles: [...model.tokenizerFiles.filter((name) => name !== TEMPLATE_FILE), TEMPLATE_FILE],
    readTokenizerFile: (name) => (name === TEMPLATE_FILE ? Buffer.from(source) : model.readTokenizerFile(name)),
  };
}
