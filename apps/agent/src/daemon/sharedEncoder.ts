import { parseJson } from '@anneal/formats/json';
import { type Encoder, jsonEncoder } from '@trpc/server/adapters/ws';
import type { TRPCResponseMessage } from '@trpc/server/rpc';

const texts = new WeakMap<object, string>();

/**
 * Messages of tRPC as JSON. What is `tracked` may go to a thousand who watch the same run: where it is the same object, its text is
 * made once, so nobody changes it after it was sent.
 */
export const sharedEncoder: Encoder = {
  // Bounded in depth: what walks through an input does it by recursion.
  decode: (data) => (typeof data === 'string' ? parseJson(Buffer.from(data), 'a message') : jsonEncoder.decode(data)),
  encode(message) {
    const { id, jsonrpc, ...rest } = message as TRPCResponseMessage<{ data?: unknown }>;
    const result = 'result' in rest ? rest.result : undefined;
    if (result?.type !== 'data' || !('id' in result)) return jsonEncoder.encode(message);
    const told = result.data.data;
    if (typeof told !== 'object' || told === null) return jsonEncoder.encode(message);
    const text = texts.get(told) ?? JSON.stringify(told);
    texts.set(told, text);
    const begin = JSON.stringify({ id, jsonrpc }).slice(0, -1);
    const number = JSON.stringify(result.id);
    return `${begin},"result":{"type":"data","id":${number},"data":{"id":${number},"data":${text}}}}`;
  },
};
