/** Rows whose last question is answered anew, or whose last answer or question is rewritten. */
import type { RowReader } from '../datasets/formats/format.ts';
import { openFormat } from '../datasets/formats/index.ts';
import { openPrompts } from '../datasets/formats/prompts.ts';
import { PROVENANCE_COLUMN } from '../datasets/provenance.ts';
import { openSource } from '../datasets/read.ts';
import { type Dropped, dropped, THOUGHTS } from '../datasets/types.ts';
import { UserError } from '../errors.ts';
import { dataFilesOf } from './documents.ts';
import type { Message } from './endpoint.ts';
import type { Answer } from './journal.ts';
import type { SynthesisOptions } from './options.ts';
import { type Flaw, readText, thoughtsIn } from './pairs.ts';
import {
  chosen,
  type Draft,
  type Origin,
  type Plan,
  type PlannedRequest,
  planned,
  type RowMessage,
  type Unusable,
  variationsOf,
  withoutRepetitions,
} from './plan.ts';
import { rewritingPrompt } from './prompt.ts';

interface SourceRow {
  readonly origin: Origin;
  /** All before the last answer; the last one is a question. */
  readonly before: readonly RowMessage[];
  /** Null where the row has none. */
  readonly answer: RowMessage | null;
}

const PAGE_ROWS = 256;
const SAMPLE = 100;

/** @throws UserError */
export async function planRows(options: SynthesisOptions): Promise<Plan> {
  const passedOver: string[] = [];
  const rows: SourceRow[] = [];
  const unusable: Unusable[] = [];
  let sources = 0;
  for (const source of options.sources) {
    for (const { path, name } of dataFilesOf(source, options.output, passedOver)) {
      for await (const row of readRows(path, name, options)) {
        sources++;
        if ('detail' in row) unusable.push(row);
        else rows.push(row);
      }
    }
  }
  if (rows.length === 0) throw nothingToAsk(options, unusable);
  const requests = chosen(rows, options).flatMap((row) => requestsFor(row, options));
  return { sources, chunks: null, passedOver, empty: [], unusable, ...withoutRepetitions(requests) };
}

async function* readRows(path: string, name: string, { task }: SynthesisOptions): AsyncGenerator<SourceRow | Unusable> {
  const data = await openSource(path);
  try {
    const sample = (await data.page(0, SAMPLE)).map(({ value }) => value);
    const reader =
      task === 'answer'
        ? openPrompts(sample, {}, (of, fields) => openFormat('auto', of, fields, path))
        : openFormat('auto', sample, {}, path);
    for await (const page of data.rows(PAGE_ROWS)) {
      for (const { source, value, fault } of page) {
        const of = value[PROVENANCE_COLUMN];
        const origin: Origin = { source: name, row: source.row, ...(of !== undefined && { of }) };
        const read = fault === undefined ? reader.read(value) : dropped('malformed_row', fault);
        yield sourceRow(origin, read, task === 'answer');
      }
    }
  } finally {
    await data.close();
  }
}

function sourceRow(
  origin: Origin,
  read: ReturnType<RowReader['read']> | Dropped,
  isToBeAnswered: boolean,
): SourceRow | Unusable {
  const unusable = (detail: string): Unusable => ({ origin, detail });
  if (read.kind === 'dropped') return unusable(read.detail);
  if (read.kind === 'text') return unusable('a plain text has no question and no answer');
  if (read.tools !== null) return unusable('rows with tools are not asked about');
  const messages: RowMessage[] = [];
  for (const [i, message] of read.messages.entries()) {
    const { role, content: text } = message;
    if (!['system', 'user', 'assistant'].includes(role)) return unusable(`it has a message of the role ${role}`);
    if (typeof text !== 'string' || message.tool_calls) return unusable('it has a message that is no text');
    const thoughts = THOUGHTS.map((field) => message[field]).find((thought) => typeof thought === 'string');
    const train = read.train[i];
    messages.push({
      role,
      content: text,
      ...(typeof thoughts === 'string' && { reasoning_content: thoughts }),
      ...(typeof train === 'boolean' && !read.isPrompt && { train }),
    });
  }
  const last = messages.at(-1);
  const answer = last?.role === 'assistant' ? last : null;
  if (answer === null && !isToBeAnswered) return unusable('it ends with a question that nobody answers');
  const before = answer ? messages.slice(0, -1) : messages;
  return before.at(-1)?.role === 'user' ? { origin, before, answer } : unusable('it does not end with a question');
}

function requestsFor({ origin, before, answer }: SourceRow, options: SynthesisOptions): PlannedRequest[] {
  const { task, endpoint, seed, systemPrompt } = options;
  const question = before.at(-1)?.content ?? '';
  const about = { origin, text: null };
  const system =
    systemPrompt !== null && before[0]?.role !== 'system' ? [{ role: 'system', content: systemPrompt }] : [];
  const ask = (messages: readonly Message[]) => planned(messages, endpoint, seed);
  if (task === 'answer') {
    const messages = [...system, ...before].map(({ role, content }) => ({ role, content }) as Message);
    const read = (said: Answer): (Draft | Flaw)[] => [answeredRow([...system, ...before], question, said, options)];
    return [{ ...about, ...ask(messages), variation: { persona: null, difficulty: null }, read }];
  }
  const what = task === 'rewrite_answers' ? 'answer' : 'question';
  const old = { question, answer: answer?.content ?? '' };
  // What was thought before the old answer does not lead to the new one.
  const { reasoning_content: _, ...last } = answer as RowMessage;
  return variationsOf(JSON.stringify([before, answer]), options).map((variation) => ({
    ...about,
    ...ask([{ role: 'user', content: rewritingPrompt(what, options, variation, old) }]),
    variation,
    read: (said) => {
      const text = readText(said);
      if (typeof text !== 'string') return [text];
      const now = { ...old, [what]: text };
      const messages = [
        ...system,
        ...before.slice(0, -1),
        { ...(before.at(-1) as RowMessage), content: now.question },
        what === 'answer' ? { ...last, content: text } : (answer as RowMessage),
      ];
      return [{ messages, ...now }];
    },
  }));
}

/** The conversation with the answer that the endpoint gave, and what it thought, where the recipe wants that. */
function answeredRow(
  before: readonly RowMessage[],
  question: string,
  said: Answer,
  { thinking }: Pick<SynthesisOptions, 'thinking'>,
): Draft | Flaw {
  const answer = readText(said);
  if (typeof answer !== 'string') return answer;
  const thoughts = thoughtsIn(said);
  if (thinking !== 'drop' && thoughts === '')
    return { reason: 'no_thoughts', detail: 'the model did not say what it thought' };
  const content = thinking === 'think_tags' ? `<think>\n${thoughts}\n</think>\n\n${answer}` : answer;
  const last = { role: 'assistant', content, ...(thinking === 'reasoning_content' && { reasoning_content: thoughts }) };
  return { messages: [...before, last], question, answer };
}

function nothingToAsk({ sources }: SynthesisOptions, unusable: readonly Unusable[]): UserError {
  const [first] = unusable;
  return new UserError({
    what: first ? `nothing can be asked about the rows: ${first.detail}` : 'there are no data files in the sources',
    where: first ? `${first.origin.source}:${first.origin.row}` : sources.map(({ path }) => path).join(', '),
    next: 'name data files of conversations, or of questions with answers (docs/data.md)',
    code: 'sources_empty',
  });
}
