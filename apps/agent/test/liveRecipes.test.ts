/** Recipes that several people edit at once: what they see, and what the file holds whatever happens. */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { textChanges } from '../src/daemon/recipes/textChanges.ts';
import { client, invited, makePlace, type Place, paired, start } from './helpers/daemon.ts';
import { openEditor } from './helpers/editor.ts';

const recipe = 'project/recipe.yaml';
const first = 'base_model: model\nlora_r: 16\nseed: 1\n';
const soon = { timeout: 8000, interval: 20 };

async function begin(text: string | Buffer = first) {
  const place = makePlace();
  const file = join(place.workspace, recipe);
  writeFileSync(file, text);
  const daemon = await start(place);
  const cookie = await paired(daemon);
  const { api } = client(daemon, cookie);
  return { place, file, daemon, cookie, api, written: () => readFileSync(file, 'utf8') };
}

/** Where the agent keeps what belongs to recipes. */
function stateOf(place: Place): string {
  const agents = join(place.workspace, '..', 'state', 'anneal', 'agents');
  return join(agents, readdirSync(agents)[0] as string, 'recipes');
}

const lines = (...numbers: number[]) => numbers.map((number) => `key_${number}: ${number}\n`).join('');
const says = (get: () => string, text: string) => vi.waitFor(() => expect(get()).toBe(text), soon);

it('is one text for everybody, and the file follows', async () => {
  const { daemon, cookie, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document, { name: 'Ada' });
  const bo = openEditor(daemon, cookie, document, { name: 'Bo' });
  await Promise.all([ada.synced, bo.synced]);
  expect(ada.text.toString()).toBe(first);
  expect(bo.text.toString()).toBe(first);
  ada.text.insert(first.length, 'max_steps: 5\n');
  bo.text.insert(0, '# ours\n');
  const both = `# ours\n${first}max_steps: 5\n`;
  for (const get of [() => ada.text.toString(), () => bo.text.toString(), written]) await says(get, both);
  ada.leave();
  bo.leave();
  await vi.waitFor(
    async () =>
      expect(await api.recipes.history.query({ recipe })).toMatchObject([
        { why: 'edited', by: ['Ada', 'Bo'] },
        { why: 'opened', by: [] },
      ]),
    soon,
  );
});

it('is seeded once, whoever comes first, and by whichever agent', async () => {
  const { place, daemon, cookie, api, written } = await begin();
  const names = await Promise.all([1, 2, 3].map(() => api.recipes.open.query({ recipe })));
  expect(new Set(names.map(({ document }) => document)).size).toBe(1);
  const { document } = names[0] as { document: string };
  const editors = [1, 2, 3].map(() => openEditor(daemon, cookie, document));
  await Promise.all(editors.map(({ synced }) => synced));
  for (const { text } of editors) expect(text.toString()).toBe(first);
  await daemon.close();
  editors[0]?.text.insert(0, '# while the agent is away\n');
  editors[1]?.text.insert(first.length, 'max_steps: 5\n');
  await start(place, { port: Number(new URL(daemon.url).port) });
  const all = `# while the agent is away\n${first}max_steps: 5\n`;
  for (const { text } of editors) await says(() => text.toString(), all);
  await says(written, all);
});

it('takes what another program has written into the text, beside what is being typed', async () => {
  const { daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  const told = new Promise<string>((resolve) =>
    ada.provider.on('stateless', ({ payload }: { payload: string }) => {
      if (JSON.parse(payload).merged) resolve(payload);
    }),
  );
  ada.text.insert(0, '# typed\n');
  writeFileSync(file, first.replace('seed: 1', 'seed: 2').replace('lora_r: 16\n', ''));
  const both = '# typed\nbase_model: model\nseed: 2\n';
  await says(() => ada.text.toString(), both);
  await says(written, both);
  await told;
  // Back to what it was before is a wish as well.
  writeFileSync(file, first);
  await says(() => ada.text.toString(), first);
  expect(written()).toBe(first);
});

it('takes a change of the file once, also where the agent was away', async () => {
  const { place, daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  await daemon.close();
  ada.text.insert(0, '# typed\n');
  writeFileSync(file, `${first}max_steps: 5\n`);
  const port = Number(new URL(daemon.url).port);
  const second = await start(place, { port });
  const both = `# typed\n${first}max_steps: 5\n`;
  await says(() => ada.text.toString(), both);
  await says(written, both);
  await second.close();
  await start(place, { port });
  const bo = openEditor(daemon, cookie, document);
  await bo.synced;
  await says(() => bo.text.toString(), both);
  expect(ada.text.toString()).toBe(both);
});

it('writes what a killed agent had not written', async () => {
  const { place, daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  ada.text.insert(0, '# typed\n');
  await says(written, `# typed\n${first}`);
  ada.leave();
  await daemon.close();
  // As if it had been killed between its own state and the file.
  const path = join(stateOf(place), readdirSync(stateOf(place))[0] as string, 'document.json');
  const state = JSON.parse(readFileSync(path, 'utf8'));
  const { createHash } = await import('node:crypto');
  const before = createHash('sha256').update(first).digest('hex');
  writeFileSync(path, JSON.stringify({ ...state, before }));
  writeFileSync(file, first);
  const again = await start(place);
  const bo = openEditor(again, await paired(again), document);
  await bo.synced;
  expect(bo.text.toString()).toBe(`# typed\n${first}`);
  await says(written, `# typed\n${first}`);
});

it('lets nobody in with another document than the one there is', async () => {
  const { place, daemon, cookie, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const doc = new Y.Doc();
  const ada = openEditor(daemon, cookie, document, { doc });
  await ada.synced;
  ada.leave();
  await daemon.close();
  rmSync(stateOf(place), { recursive: true });
  const again = await start(place);
  const second = openEditor(again, await paired(again), document, { doc });
  expect(await second.refusal).toBe('document_gone');
  expect(written()).toBe(first);
  const wrong = openEditor(again, await paired(again), '../outside.yaml#0123456789abcdef');
  expect(await wrong.refusal).toBe('document_gone');
});

it('never writes over a file that it could not read', async () => {
  const bytes = Buffer.from([0x62, 0xff, 0xfe, 0x0a]);
  const { api, file } = await begin(bytes);
  await expect(api.recipes.open.query({ recipe })).rejects.toMatchObject({
    data: { error: { code: 'recipe_not_utf8' } },
  });
  expect(readFileSync(file)).toEqual(bytes);
});

it('leaves a file alone that becomes unreadable, says so, and goes on when it is mended', async () => {
  const { daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  const states: { file: string; error: { code: string } | null }[] = [];
  ada.provider.on('stateless', ({ payload }: { payload: string }) => states.push(JSON.parse(payload)));
  await ada.synced;
  const bytes = Buffer.from([0x62, 0xff, 0xfe, 0x0a]);
  writeFileSync(file, bytes);
  await vi.waitFor(() => expect(states.at(-1)?.error?.code).toBe('recipe_not_utf8'), soon);
  ada.text.insert(0, '# typed\n');
  await expect(api.recipes.save.mutate({ recipe })).rejects.toMatchObject({
    data: { error: { code: 'recipe_not_utf8' } },
  });
  expect(readFileSync(file)).toEqual(bytes);
  writeFileSync(file, first);
  await says(written, `# typed\n${first}`);
});

it('does not bring a removed file back until somebody saves', async () => {
  const { daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  const states: string[] = [];
  ada.provider.on('stateless', ({ payload }: { payload: string }) => states.push(JSON.parse(payload).file));
  await ada.synced;
  rmSync(file);
  await vi.waitFor(() => expect(states.at(-1)).toBe('missing'), soon);
  ada.text.insert(0, '# typed\n');
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(existsSync(file)).toBe(false);
  await api.recipes.save.mutate({ recipe });
  expect(written()).toBe(`# typed\n${first}`);
});

it('keeps the ends of lines that the file has, and lets no other into the text', async () => {
  const { daemon, cookie, api, written } = await begin(first.replaceAll('\n', '\r\n'));
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  expect(ada.text.toString()).toBe(first);
  ada.text.insert(0, '# one\r\n# two\r');
  await says(() => ada.text.toString(), `# one\n# two${first}`);
  await says(written, `# one\n# two${first}`.replaceAll('\n', '\r\n'));
});

it('starts what was seen, and nothing that somebody has changed meanwhile', async () => {
  const { api } = await begin();
  await expect(api.recipes.start.mutate({ recipe, text: `${first}# other\n` })).rejects.toMatchObject({
    data: { error: { code: 'recipe_changed' } },
  });
});

it('restores a version for everybody, and keeps what was there', async () => {
  const { daemon, cookie, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  ada.text.delete(0, ada.text.length);
  ada.text.insert(0, 'base_model: other\nseed: 1\n');
  await says(written, 'base_model: other\nseed: 1\n');
  const [opened] = await api.recipes.history.query({ recipe });
  const version = opened?.sha256 as string;
  expect(await api.recipes.compare.query({ recipe, version, text: ada.text.toString() })).toEqual({
    text: first,
    changes: [
      { key: 'base_model', from: '"other"', to: '"model"' },
      { key: 'lora_r', to: '16' },
    ],
  });
  await api.recipes.restore.mutate({ recipe, version });
  await says(() => ada.text.toString(), first);
  expect(written()).toBe(first);
  expect(await api.recipes.history.query({ recipe })).toMatchObject([
    { why: 'restored', by: [(await api.people.me.query()).name] },
    { why: 'edited', by: ['Ada'] },
    { why: 'opened' },
  ]);
});

it('applies nothing of somebody who may only look', async () => {
  const { daemon, cookie, api, file, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  const viewer = openEditor(daemon, (await invited(daemon, api, 'Bo', 'viewer')).cookie, document, { name: 'Bo' });
  await Promise.all([ada.synced, viewer.synced]);
  expect(viewer.provider.authorizedScope).toBe('readonly');
  viewer.text.insert(0, '# not mine to write\n');
  ada.text.insert(0, '# mine\n');
  await says(written, `# mine\n${first}`);
  writeFileSync(file, `# mine\n${first}# by another\n`);
  await says(() => ada.text.toString(), `# mine\n${first}# by another\n`);
  // What others write comes to the viewer after all that the viewer has sent before.
  await vi.waitFor(() => expect(viewer.text.toString()).toContain('# by another'), soon);
  expect(ada.text.toString()).toBe(`# mine\n${first}# by another\n`);
  expect(written()).toBe(`# mine\n${first}# by another\n`);
});

it('lets an editor who was invited write', async () => {
  const { daemon, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const bo = openEditor(daemon, (await invited(daemon, api, 'Bo', 'editor')).cookie, document, { name: 'Bo' });
  await bo.synced;
  bo.text.insert(0, '# mine to write\n');
  await says(written, `# mine to write\n${first}`);
});

it('refuses a text that is no recipe by its size, and says who it is in few words', async () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => quiet.mockRestore());
  const { daemon, cookie, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  ada.text.insert(0, 'x'.repeat(600_000));
  const bo = openEditor(daemon, cookie, document, { name: 'x'.repeat(100_000) });
  await bo.synced;
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(bo.text.toString()).toBe(first);
  expect(written()).toBe(first);
  const cy = openEditor(daemon, cookie, document);
  await cy.synced;
  expect(JSON.stringify([...(cy.provider.awareness?.getStates().values() ?? [])]).length).toBeLessThan(1000);
});

it('answers malformed messages with an end of the socket, and goes on for others', async () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const quieter = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { daemon, cookie, api, written } = await begin();
  const { document } = await api.recipes.open.query({ recipe });
  const ada = openEditor(daemon, cookie, document);
  await ada.synced;
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  const name = Buffer.from(document);
  const hello = Buffer.concat([Buffer.from([name.length]), name, Buffer.from([2, 0, 0])]);
  for (let socketNumber = 0; socketNumber < 40; socketNumber++) {
    const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/recipes/live`, {
      headers: { cookie, origin: daemon.url },
    });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('open', resolve));
    if (socketNumber % 2 === 0) socket.send(hello);
    for (let message = 0; message < 50; message++) {
      const noise = Buffer.from(Array.from({ length: random(60) }, () => random(256)));
      const named = Buffer.concat([Buffer.from([name.length]), name, Buffer.from([random(10)]), noise]);
      socket.send(random(3) === 0 ? noise : named, { binary: random(20) !== 0 });
    }
    socket.ping();
    await Promise.race([
      new Promise((resolve) => socket.once('close', resolve)),
      new Promise((resolve) => socket.once('pong', resolve)),
    ]);
    socket.terminate();
  }
  ada.text.insert(0, '# still here\n');
  await says(written, `# still here\n${ada.text.toString().slice('# still here\n'.length)}`);
  expect(ada.text.toString().startsWith('# still here\n')).toBe(true);
  quiet.mockRestore();
  quieter.mockRestore();
});

it('finds the changes between two texts', () => {
  for (const [before, after] of [
    ['', ''],
    ['', 'a\n'],
    ['a\n', ''],
    [lines(1, 2, 3, 4), lines(1, 3, 4, 5)],
    [lines(1, 2, 3), lines(3, 2, 1)],
    ['a: 1\nb: 2', 'a: 10\nb: 2\n'],
    ['x'.repeat(20_000), 'y'.repeat(20_000)],
  ] as const) {
    let text: string = before;
    for (const { at, remove, insert } of textChanges(before, after)) {
      text = text.slice(0, at) + insert + text.slice(at + remove);
    }
    expect(text).toBe(after);
  }
  expect(textChanges('a: 1\nb: 2\n', 'a: 1\nb: 23\n')).toEqual([{ at: 9, remove: 0, insert: '3' }]);
});
