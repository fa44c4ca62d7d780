import type { DataFormat } from './format.ts';
import { findMessages, messageReader } from './messages.ts';

/** `{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`; tools speak as function_call and observation. */
export const sharegpt: DataFormat = {
  name: 'sharegpt',
  detect(rows, options) {
    const preferred = ['conversations', 'conversation', 'messages'];
    const field = findMessages(rows, 'from', 'value', options.fieldMessages, preferred);
    return field === null
      ? null
      : messageReader({ format: 'sharegpt', field, role: 'from', content: 'value' }, options);
  },
  open(_rows, options) {
    const field = options.fieldMessages ?? 'conversations';
    return messageReader({ format: 'sharegpt', field, role: 'from', content: 'value' }, options);
  },
};
