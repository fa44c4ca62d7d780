import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { byteTokenizer } from '../../test/byteTokenizer.ts';
import { openChatRenderer } from './chatRenderer.ts';
import { inspectData } from './dataReport.ts';
import { openInspectedFile } from './inspect.ts';
import { openLoader } from './loader.ts';
import { findNearDuplicates } from './nearDuplicates.ts';
import { type DatasetInput, type PreparedData, type PrepareOptions, prepareData } from './prepareData.ts';
import { idOfWord, type TokenStore } from './tokenStore.ts';

const tokenizer = byteTokenizer();
const renderer = openChatRenderer(tokenizer);
const folderOf = (): string => temporaryFolder('prepare');
const row = (question: string, answer: string): object => ({
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});
const numbered = (count: number, name = 'q'): object[] =>
  Array.from({ length: count }, (_, i) => row(`${name}${i}`, `answer ${i}`));

function dataset(rows: readonly object[], more: Partial<DatasetInput> = {}): DatasetInput {
  const path = join(folderOf(), 'data.jsonl');
  writeFileSync(path, rows.map((value) => JSON.stringify(value)).join('\n'));
  return {
    files: [path],
    type: 'auto',
    fields: {},
    mask: { rolesToTrain: ['assistant'], trainOnEos: 'turn' },
    weight: 1,
    ...more,
  };
}

const prepare = (datasets: readonly DatasetInput[], more: Partial<PrepareOptions> = {}): Promise<PreparedData> =>
  prepareData({
    datasets,
    tokenizer,
    renderer,
    sequenceLen: 128,
    excessLength: 'drop',
    deduplicate: false,
    validationSize: 0,
    seed: 1,
    folder: folderOf(),
    ...more,
  });

const texts = (store: TokenStore): Promise<string[]> =>
  Promise.all(Array.from({ length: store.count }, (_, i) => tokenizer.decode(store.words(i).map(idOfWord))));
const droppedRows = ({ droppedFile }: PreparedData): Record<string, unknown>[] =>
  readFileSync(droppedFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('prepareData', () => {
  it('lists every row it drops or cuts, with file, line and reason, and counts all of them', async () => {
    const rows = [
      row('a', 'b'),
      row('a', 'b'),
      { messages: [{ role: 'user', content: 'only asked' }] },
      { messages: [{ role: 'narrator', content: 'x' }] },
      { messages: [] },
      { text: 'no messages' },
      row('long', 'x'.repeat(200)),
      row('x'.repeat(200), 'cut before the answer'),
    ];
    const input = dataset(rows, { type: 'chat_template' });
    const prepared = await prepare([input], { deduplicate: true, excessLength: 'truncate' });
    expect(prepared.summary).toMatchObject({
      rows: 8,
      kept: 1,
      truncated: 1,
      dropped: 6,
      duplicates: 1,
      trainDocuments: 2,
    });
    const list = droppedRows(prepared);
    expect(list.map(({ row: line, verdict, reason }) => [line, verdict, reason])).toEqual([
      [2, 'dropped', 'duplicate'],
      [3, 'dropped', 'nothing_supervised'],
      [4, 'dropped', 'bad_roles'],
      [5, 'dropped', 'empty'],
      [6, 'dropped', 'malformed_row'],
      [7, 'truncated', undefined],
      [8, 'dropped', 'nothing_supervised'],
    ]);
    for (const item of list) expect(item.file).toBe(input.files[0]);
    expect(list[0]?.detail).toBe(`equals ${input.files[0]}:1`);
    expect(list[5]?.from).toBeGreaterThan(200);
  });

  it('refuses rows that are too long when told to, and says how long they are', async () => {
    const input = dataset([row('a', 'b'), row('c', 'x'.repeat(300))]);
    await expect(prepare([input], { excessLength: 'raise' })).rejects.toMatchObject({
      code: 'rows_too_long',
      what: expect.stringMatching(
        /^1 of 2 rows are longer than sequence_len 128; the longest has 3\d\d tokens/,
      ) as string,
      where: expect.stringContaining('data.jsonl:2') as string,
    });
  });

  it.each([
    ['nothing_supervised', { messages: [{ role: 'user', content: 'a' }] }, /roles_to_train/],
    ['bad_roles', { messages: [{ role: 'x', content: 'a' }] }, /map the data's role names/],
    ['too_long', row('a', 'x'.repeat(500)), /sequence_len/],
  ])('refuses to start when every row is %s', async (reason, value, next) => {
    await expect(prepare([dataset([value, value])])).rejects.toMatchObject({
      code: 'nothing_supervised',
      what: expect.stringContaining(`2 ${reason}`) as string,
      next: expect.stringMatching(next) as string,
    });
  });

  it('needs a template only for conversations', async () => {
    await expect(prepare([dataset([row('a', 'b')])], { renderer: null })).rejects.toMatchObject({
      code: 'template_missing',
    });
    const prepared = await prepare([dataset([{ text: 'abc' }])], { renderer: null });
    expect(await texts(prepared.train)).toEqual(['<s>abc<|im_end|>']);
  });

  it('splits long plain texts and loses nothing of them', async () => {
    const text = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('');
    const prepared = await prepare([dataset([{ text }])]);
    expect(prepared.train.count).toBeGreaterThan(5);
    expect(Math.max(...prepared.train.lengths)).toBe(128);
    expect((await texts(prepared.train)).join('')).toBe(`<s>${text}<|im_end|>`);
  });

  it('takes data sets by their weight, in order', async () => {
    const [half, twice] = [
      dataset(numbered(40, 'half'), { weight: 0.5 }),
      dataset(numbered(3, 'twice'), { weight: 2 }),
    ];
    const chosen = await texts((await prepare([half, twice])).train);
    expect(chosen.filter((text) => text.includes('half'))).toHaveLength(20);
    expect(new Set(chosen.filter((text) => text.includes('half'))).size).toBe(20);
    expect(chosen.slice(20).map((text) => /twice\d/.exec(text)?.[0])).toEqual([
      'twice0',
      'twice1',
      'twice2',
      'twice0',
      'twice1',
      'twice2',
    ]);
    const numbers = chosen.slice(0, 20).map((text) => Number(/half(\d+)/.exec(text)?.[1]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it.each([0, 0.25])('refuses weights that take no row (validation size %d)', async (validationSize) => {
    const sets = [dataset(numbered(6), { weight: 0.01 })];
    await expect(prepare(sets, { validationSize })).rejects.toMatchObject({ code: 'weights_take_nothing' });
  });

  it('sets validation rows aside by the seed, never one that training shows as well', async () => {
    const rows = [...numbered(30), ...numbered(30), ...numbered(10, 'other')];
    const split = async (seed: number): Promise<string[][]> => {
      const { train, validation } = await prepare([dataset(rows)], { validationSize: 0.25, seed });
      return [await texts(train), await texts(validation as TokenStore)];
    };
    const [train = [], validation = []] = await split(1);
    expect(validation).toHaveLength(10);
    expect(train.filter((text) => validation.includes(text))).toEqual([]);
    expect(await split(1)).toEqual([train, validation]);
    expect((await split(2))[1]).not.toEqual(validation);
    await expect(prepare([dataset(rows)], { validationSize: 40 })).rejects.toMatchObject({
      code: 'validation_takes_all',
    });
  });

  it('keeps rows of validation data sets out of training', async () => {
    const { train, validation } = await prepare([dataset(numbered(5))], {
      validationDatasets: [dataset(numbered(2, 'v'))],
    });
    expect(train.count).toBe(5);
    expect((await texts(validation as TokenStore)).every((text) => text.includes('v'))).toBe(true);
  });

  it('uses a cache of the same inputs, and makes it anew when one changes', async () => {
    const folder = folderOf();
    const input = dataset(numbered(5));
    const first = await prepare([input], { folder });
    const again = await prepare([input], { folder });
    expect([first.reused, again.reused]).toEqual([false, true]);
    expect(await texts(again.train)).toEqual(await texts(first.train));
    expect(again.summary).toEqual(first.summary);
    expect((await prepare([input], { folder, sequenceLen: 64 })).reused).toBe(false);
    writeFileSync(input.files[0] as string, JSON.stringify(row('new', 'row')));
    const changed = await prepare([input], { folder, sequenceLen: 64 });
    expect(await texts(changed.train)).toEqual([expect.stringContaining('new')]);
  });

  it('stops when it is told to, names a broken line, and leaves no cache behind', async () => {
    const folder = folderOf();
    const input = dataset(numbered(600));
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    await expect(prepare([input], { folder, signal: controller.signal, onProgress })).rejects.toMatchObject({
      name: 'AbortError',
    });
    writeFileSync(
      input.files[0] as string,
      `${numbered(500)
        .map((value) => JSON.stringify(value))
        .join('\n')}\n{"messages": [`,
    );
    await expect(prepare([input], { folder })).rejects.toMatchObject({
      code: 'malformed_row',
      where: `${input.files[0]}:501`,
    });
    expect(() => readFileSync(join(folder, 'manifest.json'))).toThrow();
  });

  it('feeds the loader', async () => {
    const prepared = await prepare([dataset(numbered(9))]);
    const options = {
      sequenceLen: 128,
      microBatchSize: 2,
      gradientAccumulationSteps: 2,
      samplePacking: false,
      shuffle: false,
      seed: 1,
    };
    const loader = openLoader(prepared.folder, 'train', options);
    expect(loader.stepsPerEpoch).toBe(3);
    const step = await loader.next();
    expect(step.batches.flatMap((batch) => batch.documents)).toEqual([0, 1, 2, 3]);
    expect(await tokenizer.decode((step.batches[0] as { tokens: Int32Array }).tokens.slice(0, 3))).toBe(
      '<|im_start|>us',
    );
    expect(step.targetTokens).toBe(4 * 'answer 0<'.length);
    await loader.close();
  });
});

describe('inspection', () => {
  it('shows the tokens and the mask that are trained', async () => {
    const input = dataset([row('hé👩', 'yes'), { messages: [{ role: 'x', content: '' }] }]);
    const options = { tokenizer, renderer, sequenceLen: 128, excessLength: 'drop' } as const;
    const file = await openInspectedFile(input.files[0] as string, input, options);
    expect([file.rowCount, file.format]).toEqual([2, 'chat_template']);
    const [shown, refused] = await file.page(0, 10);
    await file.close();
    const trained = shown?.tokens?.filter((token) => token.target);
    expect(trained?.map(({ start, end }) => shown?.text?.slice(start, end)).join('')).toBe('yes<|im_end|>');
    expect(trained?.every((token) => token.message === 1)).toBe(true);
    expect(shown?.tokens?.find((token) => token.text === '<|im_start|>')?.message).toBe(0);
    expect(refused).toMatchObject({ tokens: null, text: null, verdict: { kind: 'dropped', reason: 'bad_roles' } });
  });

  it('reports lengths, packing, near duplicates and leakage of the very cache that is trained', async () => {
    const near = 'The quick brown fox jumps over the lazy dog near the river.';
    const input = dataset([...numbered(20), row('tell', `${near} One.`), row('tell', `${near} Two.`)]);
    const validation = dataset([row('q0', 'answer 0'), row('fresh', 'nothing like it at all, really')]);
    const report = inspectData(await prepare([input], { validationDatasets: [validation] }), {
      sequenceLen: 128,
      seed: 1,
      packs: true,
    });
    expect(report.leakage).toMatchObject({ exact: 1 });
    expect(report.nearDuplicates.examples.some(({ first, second }) => first.row === 21 && second.row === 22)).toBe(
      true,
    );
    expect(report.packing?.efficiency).toBeGreaterThan(report.packing?.unpacked ?? 1);
    const { total, supervised, width } = report.summary.histogram;
    expect(total.reduce((sum, count) => sum + count)).toBe(24);
    expect(supervised.reduce((sum, count) => sum + count)).toBe(24);
    expect(total.length * width).toBeGreaterThan(report.summary.longest);
  });

  it('tells near duplicates from different documents', () => {
    const base = Array.from({ length: 200 }, (_, i) => (i * 7919) % 5000);
    const changed = base.with(100, 1);
    const other = Array.from({ length: 200 }, (_, i) => (i * 104729) % 5000);
    expect(findNearDuplicates([base, other, changed])).toMatchObject([{ first: 0, second: 2 }]);
    expect(
      findNearDuplicates([
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([]);
  });
});
