import type { DataFormat, FieldOptions, RowValue } from './format.ts';
import { type Columns, findConversation, messageReader, type Names } from './messages.ts';

const FIELDS = ['messages', 'conversations', 'conversation', 'chosen'];

/** OpenAI's chat format: `{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}`. */
export const chat: DataFormat = {
  name: 'chat_template',
  detect(rows, options) {
    const columns = findConversation(rows, names(options), options, FIELDS);
    return columns && messageReader(names(options), columns, rows, options);
  },
  open(rows, options) {
    const messages = options.fieldMessages ?? 'messages';
    const named = findConversation(rows, names(options), { ...options, fieldMessages: messages }, []);
    const columns = named ?? inTwoColumns(rows, messages, options) ?? { prompt: null, messages };
    return messageReader(names(options), columns, rows, options);
  },
};

/** A recipe that names the type alone names the usual column with it, which a prompt with its answer does not have. */
function inTwoColumns(rows: readonly RowValue[], messages: string, options: FieldOptions): Columns | null {
  if (messages !== 'messages' || rows.some((row) => messages in row)) return null;
  const columns = findConversation(rows, names(options), { ...options, fieldMessages: null }, FIELDS);
  return columns?.prompt ? columns : null;
}

const names = ({ messageProperties }: FieldOptions): Names => {
  const { role = 'role', content = 'content' } = messageProperties ?? {};
  return { format: 'chat_template', role, content };
};
