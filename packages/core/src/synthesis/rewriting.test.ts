/** What is made of rows, variations, and judging. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EndpointStandIn, pairsAbout, reply, standIn } from './testing/endpointStandIn.ts';
import { errorOf, make, project, rowsIn } from './testing/project.ts';

/** Rows of the form that a test needs, in the place of the documents. */
function projectOfRows(
  endpoint: Pick<EndpointStandIn, 'url'>,
  rows: readonly object[],
  more: Record<string, unknown>,
): string {
  const folder = project(endpoint, {
    sources: [{ path: 'source.jsonl' }],
    filters: { min_question_chars: 1 },
    ...more,
  });
  writeFileSync(join(folder, 'source.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return folder;
}

const chat = (...contents: string[]) => ({
  messages: contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
});

describe('rows from rows', () => {
  const answering = { task: 'answer', thinking: 'reasoning_content' };

  it('are answered anew, with what was thought, in the form that the recipe wants', async () => {
    const endpoint = await standIn(
      ({ length }) => `<think>\nIt has ${length} letters.\n</think>\n\nA new answer ${length}.`,
    );
    const rows = [
      chat('Who keeps the harbor?', 'Nobody.', 'Since when?', 'Since ever.'),
      { instruction: 'unread', anneal_provenance: { source: 'docs/a.md' }, ...chat('What is a pilot?', 'Old.') },
      chat('Is it deep?'),
      { messages: [{ role: 'user', content: 'Call!' }], tools: [{ type: 'function', function: { name: 'call' } }] },
    ];
    const folder = projectOfRows(endpoint, rows, answering);
    const result = await make(folder);
    expect(result).toMatchObject({ sources: 4, chunks: null, requests: 3, rows: 3, rejected: { row_unusable: 1 } });
    expect(endpoint.asked.map(({ messages }) => messages.length).toSorted()).toEqual([1, 1, 3]);
    const [first, second] = rowsIn(folder);
    expect(first?.messages.slice(0, 3)).toEqual(rows[0]?.messages.slice(0, 3));
    expect(first?.messages[3]).toMatchObject({
      content: expect.stringMatching(/^A new answer \d+\.$/),
      reasoning_content: expect.stringMatching(/^It has \d+ letters\.$/),
    });
    expect(second?.anneal_provenance).toMatchObject({ source: 'source.jsonl', row: 2, of: { source: 'docs/a.md' } });

    const asTags = projectOfRows(endpoint, rows, { ...answering, thinking: 'think_tags' });
    await make(asTags);
    expect(rowsIn(asTags)[0]?.messages[3]?.content).toMatch(
      /^<think>\nIt has \d+ letters\.\n<\/think>\n\nA new answer/,
    );
    const without = projectOfRows(await standIn(() => 'Plain.'), rows, answering);
    expect(await errorOf(make(without))).toMatchObject({ what: expect.stringContaining('3 no_thoughts') });
  });

  it.each([
    ['rewrite_answers', ['Who keeps it?', 'Said anew.']],
    ['rewrite_questions', ['Said anew.', 'A pilot does.']],
  ])('have with %s the part rewritten, the others as they were', async (task, contents) => {
    const endpoint = await standIn(() => 'Said anew.');
    const system = { role: 'system', content: 'Be brief.' };
    const row = { messages: [system, ...chat('A', 'B', 'Who keeps it?', 'A pilot does.').messages] };
    const folder = projectOfRows(endpoint, [row], { task, system_prompt: 'not in the place of another' });
    await make(folder);
    expect(rowsIn(folder)[0]?.messages.map(({ content }) => content)).toEqual(['Be brief.', 'A', 'B', ...contents]);
    expect(endpoint.asked[0]?.messages[0]?.content).toContain('Who keeps it?');
  });

  it('are an error where nothing can be asked about them', async () => {
    const { url } = await standIn();
    const folder = projectOfRows({ url }, [chat('Never answered?')], { task: 'rewrite_answers' });
    expect((await errorOf(make(folder))).code).toMatch(/data_empty|sources_empty|format_unknown/);
    writeFileSync(
      join(folder, 'source.jsonl'),
      '{"messages": [{"role": "user", "content": "Nobody?"}]}\n{"messages": []}\n',
    );
    expect((await errorOf(make(folder))).code).toMatch(/data_empty|sources_empty|format_unknown/);
  });
});

describe('variations', () => {
  it('give each chunk other personas and difficulties, the same ones each time', async () => {
    const endpoint = await standIn((text, { messages }) =>
      pairsAbout(`${/is (a \w+)/.exec(messages[0]?.content ?? '')?.[1]} ${text}`),
    );
    const more = {
      personas: ['a pilot', 'a child', 'a poet'],
      difficulties: ['easy', 'hard'],
      variations: 4,
      max_chunks: 3,
    };
    const folder = project(endpoint, { ...more, deduplicate: 'none' });
    expect(await make(folder)).toMatchObject({ requests: 12, rows: 24 });
    const kinds = Map.groupBy(rowsIn(folder), ({ anneal_provenance: { start } }) => start);
    for (const rows of kinds.values()) {
      const of = new Set(rows.map(({ anneal_provenance: { persona, difficulty } }) => `${persona}, ${difficulty}`));
      expect(of.size).toBe(4);
    }
    await make(folder);
    expect(endpoint.asked).toHaveLength(12);
  });
});

const judging = (score: (about: string) => string) =>
  standIn((text, { messages }) => {
    const content = messages[0]?.content ?? '';
    return content.startsWith('Judge') ? score(content) : pairsAbout(text);
  });
const scores = (content: string): string => {
  const number = Number(/Harbor (\d+)/.exec(content)?.[1]);
  return number === 3 ? 'It is fine.' : `{"reason": "so", "score": ${number === 4 ? '"6.5"' : number === 5 ? 11 : 8}}`;
};

describe('a judge', () => {
  it('keeps what reaches the threshold, with its score, and asks nothing twice', async () => {
    const endpoint = await judging(scores);
    const folder = project(endpoint, { judge: { threshold: 7, model: 'large' } });
    const result = await make(folder);
    expect(result).toMatchObject({
      requests: 12,
      judgements: 36,
      rejected: { judged_low: 2, judgement_unreadable: 4 },
    });
    expect(result.rows).toBe(18);
    for (const { anneal_provenance: from } of rowsIn(folder)) {
      expect(from).toMatchObject({ model: 'small', judge_model: 'large', judge_score: 8 });
    }
    expect(endpoint.asked).toHaveLength(12 + 24);
    expect(endpoint.asked.at(-1)).toMatchObject({ model: 'large', temperature: 0, max_tokens: 512 });
    await make(folder);
    expect(endpoint.asked).toHaveLength(12 + 24);
  });

  it('that is stopped leaves open what it has not judged', async () => {
    const stopping = new AbortController();
    let judged = 0;
    const endpoint = await standIn(
      (text) => pairsAbout(text),
      ({ messages, ...asked }, response) => {
        if (!messages[0]?.content.startsWith('Judge')) return false;
        if (++judged <= 5) reply(response, '{"score": 9}', asked);
        else stopping.abort();
        return true;
      },
    );
    const folder = project(endpoint, { judge: {} });
    const stopped = await make(folder, { signal: stopping.signal });
    expect(stopped).toMatchObject({ state: 'stopped', answered: 12 });
    expect(stopped.rows).toBeLessThanOrEqual(5);
    expect(stopped.rejected).toEqual({});
  });
});
