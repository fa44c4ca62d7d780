/** What is asked, as it follows from the recipe and the documents alone. */
import { createHash } from 'node:crypto';
import { permutation, random } from '../random.ts';
import { type Chunk, chunksOf } from './chunks.ts';
import type { Document } from './documents.ts';
import { type Message, requestBody } from './endpoint.ts';
import type { SynthesisOptions } from './options.ts';
import { promptOf } from './prompt.ts';

export interface PlannedRequest {
  /** Hash of all that decides the answer: equal requests are asked once. */
  readonly key: string;
  readonly messages: readonly Message[];
  readonly seed: number;
  readonly chunk: Chunk;
}

export interface Plan {
  /** Of all documents, chosen or not. */
  readonly chunks: number;
  /** In the order of their chunks, each once: chunks that say the same are asked about together. */
  readonly requests: readonly PlannedRequest[];
}

export function planOf(documents: readonly Document[], options: SynthesisOptions): Plan {
  const { chunkCharacters, maxChunks, pairsPerChunk: count, language, prompt, seed } = options;
  const all = documents.flatMap((document) => chunksOf(document, chunkCharacters));
  const chosen =
    maxChunks === null || maxChunks >= all.length
      ? all
      : Array.from(permutation(all.length, 'chunks', seed).subarray(0, maxChunks).toSorted(), (i) => all[i] as Chunk);
  const requests = new Map<string, PlannedRequest>();
  for (const chunk of chosen) {
    const content = promptOf(prompt, { text: chunk.text, count, language });
    const request = planned([{ role: 'user', content }], options);
    if (!requests.has(request.key)) requests.set(request.key, { ...request, chunk });
  }
  return { chunks: all.length, requests: [...requests.values()] };
}

/** The request with its seed, which its own words decide: other documents beside it do not change it. */
export function planned(
  messages: readonly Message[],
  { endpoint, seed: own }: Pick<SynthesisOptions, 'endpoint' | 'seed'>,
): Pick<PlannedRequest, 'key' | 'messages' | 'seed'> {
  const seed = random('request', own, JSON.stringify(messages)).uint32() >>> 1;
  const question = { messages, seed };
  return { key: sha256(`${endpoint.url}\n${requestBody(endpoint, question)}`), ...question };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
