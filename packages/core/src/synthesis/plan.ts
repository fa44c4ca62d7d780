/** What is asked, as it follows from the recipe and the sources alone. */
import { createHash } from 'node:crypto';
import { permutation, random } from '../random.ts';
import { type Message, requestBody } from './endpoint.ts';
import type { Answer } from './journal.ts';
import type { EndpointOptions, SynthesisOptions } from './options.ts';
import type { Flaw } from './pairs.ts';
import type { Variation } from './prompt.ts';

/** Where in the sources something comes from. */
export interface Origin {
  readonly source: string;
  /** Of a data file: its line or record, from 1. */
  readonly row?: number;
  /** Of a document: bytes in UTF-8, [start, end). */
  readonly start?: number;
  readonly end?: number;
  /** What a row that was synthesized before says of its own origin. */
  readonly of?: unknown;
}

export interface RowMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning_content?: string;
  readonly train?: boolean;
}

/** What an answer says: a conversation that ends with an answer. */
export interface Draft {
  readonly messages: readonly RowMessage[];
  readonly question: string;
  readonly answer: string;
}

/** A question to the endpoint, by itself. */
export interface PlannedQuestion {
  /** Hash of all that decides the answer: equal requests are asked once. */
  readonly key: string;
  readonly messages: readonly Message[];
  readonly seed: number;
}

export interface PlannedRequest extends PlannedQuestion {
  readonly origin: Origin;
  readonly variation: Variation;
  /** What it is about, for who judges it; null where the question says it all. */
  readonly text: string | null;
  /** What the answer says, each with what is wrong with it where that is so. */
  readonly read: (answer: Answer) => (Draft | Flaw)[];
}

/** A row of the sources about which nothing can be asked. */
export interface Unusable {
  readonly origin: Origin;
  readonly detail: string;
}

export interface Plan {
  /** Documents, or rows. */
  readonly sources: number;
  /** Of all documents, chosen or not; null where rows are asked about. */
  readonly chunks: number | null;
  /** Files of folders that are none of the sources. */
  readonly passedOver: readonly string[];
  /** Documents without text. */
  readonly empty: readonly string[];
  readonly unusable: readonly Unusable[];
  /** How many more requests there would be if each were asked as often as it comes. */
  readonly repeated: number;
  /** In the order of the sources, each once: chunks that say the same are asked about together. */
  readonly requests: readonly PlannedRequest[];
}

/** The question with its seed, which its own words decide: other sources beside it do not change it. */
export function planned(messages: readonly Message[], endpoint: EndpointOptions, seed: number): PlannedQuestion {
  const own = random('request', seed, JSON.stringify(messages)).uint32() >>> 1;
  const question = { messages, seed: own };
  return { key: sha256(`${endpoint.url}\n${seed}\n${requestBody(endpoint, question)}`), ...question };
}

/** The requests of a plan, and how many of them were left out because they ask the same. */
export function withoutRepetitions(all: readonly PlannedRequest[]): Pick<Plan, 'requests' | 'repeated'> {
  const requests = eachOnce(all);
  return { requests, repeated: all.length - requests.length };
}

/** Each key once: the first one stays. */
export function eachOnce<T extends PlannedQuestion>(questions: readonly T[]): T[] {
  const found = new Map<string, T>();
  for (const question of questions) if (!found.has(question.key)) found.set(question.key, question);
  return [...found.values()];
}

/** At most so many, chosen by the seed, in their order. */
export function chosen<T>(all: readonly T[], { maxChunks, seed }: Pick<SynthesisOptions, 'maxChunks' | 'seed'>): T[] {
  if (maxChunks === null || maxChunks >= all.length) return [...all];
  return Array.from(permutation(all.length, 'chunks', seed).subarray(0, maxChunks).toSorted(), (i) => all[i] as T);
}

/** Other ones for each text, never one twice. */
export function variationsOf(
  text: string,
  {
    personas,
    difficulties,
    variations,
    seed,
  }: Pick<SynthesisOptions, 'personas' | 'difficulties' | 'variations' | 'seed'>,
): Variation[] {
  const all = (personas ?? [null]).flatMap((persona) =>
    (difficulties ?? [null]).map((difficulty) => ({ persona, difficulty })),
  );
  const order = permutation(all.length, 'variation', seed, text).subarray(0, variations);
  return Array.from(order, (i) => all[i] as Variation);
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
