import type { DataFormat } from './format.ts';
import { findMessages, messageReader } from './messages.ts';

/** OpenAI's chat format: `{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}`. */
export const chat: DataFormat = {
  name: 'chat_template',
  detect(rows, options) {
    const { role = 'role', content = 'content' } = options.messageProperties ?? {};
    const preferred = ['messages', 'conversations', 'conversation', 'chosen'];
    const field = findMessages(rows, role, content, options.fieldMessages, preferred);
    return field === null ? null : messageReader({ format: 'chat_template', field, role, content }, options);
  },
  open(_rows, options) {
    const { role = 'role', content = 'content' } = options.messageProperties ?? {};
    return messageReader(
      { format: 'chat_template', field: options.fieldMessages ?? 'messages', role, content },
      options,
    );
  },
};
