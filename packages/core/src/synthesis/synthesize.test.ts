import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SynthesisProgress } from '../protocol/synthesis.ts';
import { pairsAbout, reply, send, standIn } from './testing/endpointStandIn.ts';
import { errorOf, linesIn, make, paragraphs, project, rejectedIn, rowsIn } from './testing/project.ts';

describe('rows from documents', () => {
  it('are pairs with their place in the document, within the bound of requests', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint, { system_prompt: 'You know harbors.' });
    const seen: SynthesisProgress[] = [];
    const result = await make(folder, { onProgress: (progress) => seen.push(progress) });
    expect(result).toMatchObject({ state: 'finished', sources: 1, chunks: 12, requests: 12, answered: 12, rows: 24 });
    const rows = rowsIn(folder);
    expect(rows[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant']);
    const document = readFileSync(join(folder, 'docs/harbors.md'));
    for (const [i, { anneal_provenance: from }] of rows.entries()) {
      expect(from).toMatchObject({ source: 'docs/harbors.md', model: 'small' });
      expect(document.subarray(from.start, from.end).toString()).toBe(paragraphs[Math.floor(i / 2)]);
    }
    expect(endpoint.asked.map(({ seed }) => seed)).toContain(rows[0]?.anneal_provenance.seed);
    expect(endpoint.mostAtOnce()).toBeLessThanOrEqual(3);
    expect(seen.at(-1)).toMatchObject({ phase: 'asking', answered: 12, promptTokens: 1200, completionTokens: 600 });
    expect(seen.find(({ estimate }) => estimate)?.estimate).toMatchObject({
      requests: 10,
      completionTokens: 500,
      measured: 2,
    });
  });

  it('are not asked for again, nor when a rule changes, but when the question does', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint);
    await make(folder);
    const before = readFileSync(join(folder, 'rows.jsonl'), 'utf8');
    await make(folder);
    expect(readFileSync(join(folder, 'rows.jsonl'), 'utf8')).toBe(before);
    expect(endpoint.asked).toHaveLength(12);
    const recipe = JSON.parse(readFileSync(join(folder, 'recipe.yaml'), 'utf8'));
    const filters = { must_not_match: 'harbor [0-4] ' };
    writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify({ ...recipe, filters }));
    await make(folder);
    expect(endpoint.asked).toHaveLength(12);
    writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify({ ...recipe, seed: 1 }));
    await make(folder);
    expect(endpoint.asked).toHaveLength(24);
    const seedless = { ...recipe.endpoint, send_seed: false };
    writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify({ ...recipe, seed: 2, endpoint: seedless }));
    await make(folder);
    expect(endpoint.asked.slice(24).map(({ seed }) => seed)).toEqual(Array.from({ length: 12 }, () => undefined));
  });

  it('takes a part of the chunks, rows of data files, and says what it passes over', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint, { sources: [{ path: 'docs', field: 'body' }], max_chunks: 3 });
    writeFileSync(join(folder, 'docs', 'rows.jsonl'), `{"body": "${'A long row. '.repeat(4)}"}\n{"body": "  "}\n`);
    writeFileSync(join(folder, 'docs', 'picture.png'), 'x');
    const result = await make(folder);
    expect(result).toMatchObject({
      chunks: 13,
      requests: 3,
      passedOver: ['docs/picture.png'],
      empty: ['docs/rows.jsonl:2'],
    });
    expect(endpoint.asked).toHaveLength(3);
  });

  it('takes nothing but an estimate in a dry run, or the samples', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint);
    const dry = await make(folder, { dryRun: true, samples: 0 });
    expect(dry).toMatchObject({ state: 'estimated', estimate: { requests: 12, measured: 0, milliseconds: null } });
    expect(dry.estimate.completionTokens).toBe(12 * 1024);
    expect(existsSync(join(folder, 'rows.synthesis'))).toBe(false);
    const sampled = await make(folder, { dryRun: true, samples: 3 });
    expect(sampled).toMatchObject({ answered: 3, estimate: { requests: 9, measured: 3, completionTokens: 450 } });
    expect(endpoint.asked).toHaveLength(3);
    await make(folder);
    expect(endpoint.asked).toHaveLength(12);
  });

  it('leave out what breaks a rule or repeats, each with its reason', async () => {
    const answers = [
      'I cannot do that.',
      '{"no": "pairs"}',
      '[{"question": "Which harbor is this one?", "answer": 7}]',
      '[{"question": "Short?", "answer": "It is."}]',
      '[{"question": "Какая это гавань и где она?", "answer": "Первая."}]',
      '[{"question": "Which harbor has number 37 on its gate?", "answer": "Harbor 1 of the west coast has it."}]',
      '[{"question": "Which harbor has number 37 on its gate ?", "answer": "The one that is called one."}]',
      'Of course:\n```json\n[{"question": "What moors in harbor seven every single week?", "answer": "Ships with red sails do so, each week, as they have for many a year in this old harbor of ours."}]\n```',
      '{"pairs": [{"question": "What moors in harbor seven every single week?!", "answer": "Nothing at all."}]}',
      '<think>[1]</think>[{"question": "So what moors in harbor seven every single week?", "answer": "Ships with red sails do so, each week, as they have for many a year in this old harbor of ours."}]',
      '[{"question": "What does the text say of harbor ten?", "answer": "Ships moor."}]',
      '',
    ];
    const endpoint = await standIn((text) => answers[Number(/Harbor (\d+)/.exec(text)?.[1])] ?? '');
    const folder = project(endpoint, { filters: { scripts: ['Latin'], must_not_match: 'the (text|passage)' } });
    const result = await make(folder);
    expect(result.rejected).toEqual({
      not_json: 1,
      wrong_form: 2,
      too_short: 1,
      script: 1,
      pattern: 1,
      empty: 1,
      duplicate: 2,
      near_duplicate: 1,
    });
    expect(result.rows).toBe(2);
    expect(rejectedIn(folder)).toHaveLength(10);
    expect(rejectedIn(folder).find(({ reason }) => reason === 'not_json')?.content).toBe('I cannot do that.');
  });

  it('are none of the documents, where they lie among them', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint, { output: 'docs/rows.jsonl' });
    await make(folder);
    expect((await make(folder)).passedOver).toEqual(['docs/rows.jsonl', 'docs/rows.synthesis']);
    expect(endpoint.asked).toHaveLength(12);
  });

  it('are asked for once where documents repeat themselves', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint);
    writeFileSync(join(folder, 'docs', 'zebra.md'), paragraphs.join('\n\n'));
    expect(await make(folder)).toMatchObject({ sources: 2, chunks: 24, repeated: 12, requests: 12, rows: 24 });
  });
});

describe('an endpoint that fails', () => {
  it('is asked again when it is busy, broken, silent or cut off, and the rows are the same', async () => {
    const good = project(await standIn());
    await make(good);
    const endpoint = await standIn(pairsAbout, (asked, response, tries) => {
      if (tries > 1) return false;
      switch (Number(/Harbor (\d+)/.exec(asked.messages[0]?.content ?? '')?.[1]) % 4) {
        case 0:
          send(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '0' });
          return true;
        case 1:
          send(response, 503, 'gone');
          return true;
        case 2:
          return true; // hangs
        default:
          response.writeHead(200, { 'content-length': '1000' }).write('{"choices": [');
          response.destroy();
          return true;
      }
    });
    const folder = project(endpoint, { endpoint: { timeout_seconds: 1, retries: 100 } });
    const result = await make(folder, { samples: 1 });
    expect(result).toMatchObject({ state: 'finished', failed: 0, rows: 24 });
    expect(rowsIn(folder)).toEqual(rowsIn(good));
  });

  it('fails for single questions: they are listed, and asked again the next time', async () => {
    let isBroken = true;
    const endpoint = await standIn(pairsAbout, (asked, response) => {
      const number = Number(/Harbor (\d+)/.exec(asked.messages[0]?.content ?? '')?.[1]);
      if (!isBroken || ![3, 5, 7].includes(number)) return false;
      if (number === 3) send(response, 400, { error: { message: 'too long' } });
      else if (number === 5) send(response, 200, 'no JSON');
      else response.writeHead(200).end(Buffer.alloc(9 << 20, 32));
      return true;
    });
    const folder = project(endpoint);
    expect(await make(folder)).toMatchObject({
      state: 'finished',
      failed: 3,
      rows: 18,
      rejected: { request_failed: 3 },
    });
    expect(rejectedIn(folder).map(({ detail }) => detail)).toEqual([
      expect.stringContaining('too long'),
      expect.stringContaining('no JSON'),
      expect.stringContaining('more than'),
    ]);
    isBroken = false;
    expect(await make(folder)).toMatchObject({ failed: 0, rows: 24, rejectedFile: null });
    expect([...endpoint.answered.values()]).toEqual(Array.from({ length: 12 }, () => 1));
  });

  it('ends the work when nothing it says is of use, and keeps what there was', async () => {
    let answers = 0;
    const endpoint = await standIn(pairsAbout, (_, response) => {
      if (++answers <= 1) return false;
      send(response, 400, { error: { message: 'no more' } });
      return true;
    });
    const folder = project(endpoint);
    const error = await errorOf(make(folder, { samples: 1 }));
    expect(error).toMatchObject({ code: 'endpoint_failing', what: expect.stringContaining('no more') });
    expect(linesIn(join(folder, 'rows.synthesis', 'answers.jsonl'))).toHaveLength(1);
  });

  it.each([
    [401, 'endpoint_refused', 'does not let us in'],
    [404, 'endpoint_refused', "no model 'small'"],
    [302, 'endpoint_failing', 'status 302'],
  ])('with status %i is an error that says what to do', async (status, code, what) => {
    const endpoint = await standIn(pairsAbout, (_, response) => {
      send(response, status, { error: { message: 'secret-key is wrong' } }, { location: 'http://127.0.0.1:1/' });
      return true;
    });
    const error = await errorOf(make(project(endpoint), { apiKeys: { rows: 'secret-key', judge: null } }));
    expect(error).toMatchObject({ code, what: expect.stringContaining(what) });
    expect(JSON.stringify(error)).not.toContain('secret-key');
    expect(endpoint.headers[0]?.authorization).toBe('Bearer secret-key');
  });

  it('that is not there is an error at once', async () => {
    const { url } = await standIn();
    const error = await errorOf(make(project({ url: url.replace(/:\d+/, ':1') })));
    expect(error.code).toBe('endpoint_not_reached');
  });
});

describe('what is kept', () => {
  it('of a stop are the rows of what was answered; the rest follows', async () => {
    const stopping = new AbortController();
    let answers = 0;
    const endpoint = await standIn(pairsAbout, () => {
      if (++answers === 6) stopping.abort();
      return answers >= 6;
    });
    const folder = project(endpoint);
    const stopped = await make(folder, { signal: stopping.signal });
    expect(stopped.state).toBe('stopped');
    expect(stopped.rows).toBe(2 * stopped.answered);
    expect(stopped.estimate.requests).toBe(12 - stopped.answered);
    const whole = project(await standIn());
    await make(whole);
    answers = Number.NEGATIVE_INFINITY;
    expect(await make(folder)).toMatchObject({ state: 'finished', rows: 24 });
    expect(rowsIn(folder)).toEqual(rowsIn(whole));
  });

  it('of a line that was torn is nothing, and a line that is none is an error', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint);
    await make(folder);
    const rows = readFileSync(join(folder, 'rows.jsonl'), 'utf8');
    const journal = join(folder, 'rows.synthesis', 'answers.jsonl');
    appendFileSync(journal, '{"seq":13,"time":"20');
    await make(folder);
    expect(readFileSync(join(folder, 'rows.jsonl'), 'utf8')).toBe(rows);
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"seq":4,', '"seq":5,'));
    expect(await errorOf(make(folder))).toMatchObject({ code: 'journal_damaged', where: `${journal}:4` });
  });

  it('is never written over a file of somebody else', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint);
    writeFileSync(join(folder, 'rows.jsonl'), 'mine\n');
    expect((await errorOf(make(folder))).code).toBe('output_exists');
    expect(endpoint.asked).toHaveLength(0);
    expect(readFileSync(join(folder, 'rows.jsonl'), 'utf8')).toBe('mine\n');
    await make(folder, { overwrite: true });
    appendFileSync(join(folder, 'rows.jsonl'), 'mine\n');
    expect((await errorOf(make(folder))).code).toBe('output_exists');
  });

  it('is written by one process at a time', async () => {
    const began = Promise.withResolvers<void>();
    const stopping = new AbortController();
    const endpoint = await standIn(pairsAbout, () => {
      began.resolve();
      return true;
    });
    const folder = project(endpoint);
    const first = make(folder, { signal: stopping.signal });
    await began.promise;
    expect((await errorOf(make(folder))).code).toBe('synthesis_busy');
    stopping.abort();
    expect((await first).state).toBe('stopped');
  });

  it('is an error where no answer became a row', async () => {
    const endpoint = await standIn(() => 'no');
    const folder = project(endpoint);
    expect(await errorOf(make(folder))).toMatchObject({
      code: 'no_rows_made',
      what: expect.stringContaining('12 not_json'),
    });
    expect(rejectedIn(folder)).toHaveLength(12);
  });

  it('of an answer that was cut is a reason', async () => {
    const endpoint = await standIn(pairsAbout, (asked, response) => {
      if (!asked.messages[0]?.content.includes('Harbor 3 ')) return false;
      reply(response, '[{"question": "', asked, 'length');
      return true;
    });
    expect(await make(project(endpoint))).toMatchObject({ rows: 22, rejected: { cut_off: 1 } });
  });
});
