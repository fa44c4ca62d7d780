import type { DataFormat, FieldOptions } from './format.ts';
import { findConversation, messageReader, type Names } from './messages.ts';

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
    const columns = findConversation(rows, names(options), { ...options, fieldMessages: messages }, []);
    return messageReader(names(options), columns ?? { prompt: null, messages }, rows, options);
  },
};

const names = ({ messageProperties }: FieldOptions): Names => {
  const { role = 'role', content = 'content' } = messageProperties ?? {};
  return { format: 'chat_template', role, content };
};
