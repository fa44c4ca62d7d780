/** Pairs of question and answer from documents. */
import { chunksOf } from './chunks.ts';
import { readDocuments } from './documents.ts';
import type { SynthesisOptions } from './options.ts';
import { type Pair, pairsIn } from './pairs.ts';
import {
  chosen,
  type Draft,
  type Plan,
  type PlannedRequest,
  planned,
  variationsOf,
  withoutRepetitions,
} from './plan.ts';
import { pairsPrompt } from './prompt.ts';

export async function planDocuments(options: SynthesisOptions): Promise<Plan> {
  const { endpoint, seed, pairsPerChunk: count } = options;
  const { documents, passedOver, empty } = await readDocuments(options.sources, options.output);
  const chunks = documents.flatMap((document) => chunksOf(document, options.chunkCharacters));
  const draftOf = ({ question, answer }: Pair): Draft => ({
    messages: [
      ...(options.systemPrompt === null ? [] : [{ role: 'system', content: options.systemPrompt }]),
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ],
    question,
    answer,
  });
  const requests = chosen(chunks, options).flatMap(({ source, row, start, end, text }): PlannedRequest[] =>
    variationsOf(text, options).map((variation) => ({
      ...planned([{ role: 'user', content: pairsPrompt(options, variation, { text, count }) }], endpoint, seed),
      origin: { source, ...(row !== null && { row }), start, end },
      variation,
      text,
      read: (answer) => pairsIn(answer).map((found) => ('reason' in found ? found : draftOf(found))),
    })),
  );
  return {
    sources: documents.length,
    chunks: chunks.length,
    passedOver,
    empty,
    unusable: [],
    ...withoutRepetitions(requests),
  };
}
