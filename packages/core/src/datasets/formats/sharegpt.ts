import type { DataFormat } from './format.ts';
import { findConversation, messageReader } from './messages.ts';

const NAMES = { format: 'sharegpt', role: 'from', content: 'value' };
const FIELDS = ['conversations', 'conversation', 'messages'];

/** `{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`; tools speak as function_call and observation. */
export const sharegpt: DataFormat = {
  name: 'sharegpt',
  detect(rows, options) {
    const columns = findConversation(rows, NAMES, options, FIELDS);
    return columns && messageReader(NAMES, columns, rows, options);
  },
  open(rows, options) {
    const messages = options.fieldMessages ?? 'conversations';
    const columns = findConversation(rows, NAMES, { ...options, fieldMessages: messages }, []);
    return messageReader(NAMES, columns ?? { prompt: null, messages }, rows, options);
  },
};
