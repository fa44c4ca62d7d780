/**
 * Hints said `npx anneal …` to those who had called it by its path, from a folder where npx would fetch another's package; below
 * `anneal remote` they said what to ask of this machine; and some said `anneal …` whatever it was called, as the help after a verb
 * without a subcommand did. The hint beside a new token left out `--folder`, so that it found no such token.
 */
import { globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { asCalled, calledElsewhere } from '../apps/agent/src/terminal/asCalled.ts';
import { verbs } from '../apps/agent/src/verbs.ts';
import { annealPath, startNode, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

afterEach(() => calledElsewhere('', []));

test('a hint has the name by which it was called', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a b'));
  const [onPath, beside] = [join(folder, 'anneal'), join(folder, 'a b', 'anneal.mjs')];
  for (const link of [onPath, beside]) symlinkSync(annealPath, link);
  const hintOf = async (path: string, npm: string | undefined): Promise<string | undefined> => {
    const called = { ANNEAL_CALLED_AS: undefined, npm_lifecycle_event: npm };
    const { stderr } = await startNode([path, 'runs', 'show', 'nope'], folder, called).ended;
    return /list them with `(.*) runs ls`/.exec(stderr)?.[1];
  };
  expect(await hintOf(annealPath, 'npx')).toBe('npx anneal');
  expect(await hintOf(onPath, undefined)).toBe('anneal');
  expect(await hintOf(annealPath, undefined)).toBe(`node ${annealPath}`);
  expect(await hintOf(beside, undefined)).toBe(`node '${beside}'`);
});

test('the help after a verb without a subcommand does, too', async () => {
  const { stderr } = await startNode([annealPath, 'token'], temporaryFolder(), { ANNEAL_CALLED_AS: './anneal' }).ended;
  expect(stderr).toContain('$ ./anneal token list');
});

test('a token is ended by the command that is said beside it', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'my project'));
  const run = (args: string[]) =>
    startNode([annealPath, ...args], folder, { ANNEAL_CALLED_AS: './anneal', XDG_DATA_HOME: folder }).ended;
  const made = await run(['token', 'create', 'laptop', '--folder', 'my project']);
  const said = /\.\/anneal (token revoke [0-9a-f]+ --folder )'(.*)'/.exec(made.stderr);
  expect(said?.[2]).toBe('my project');
  expect(await run([...`${said?.[1]}`.trim().split(' '), 'my project'])).toMatchObject({ code: 0 });
});

test('what another agent says names that agent, where it can be asked', () => {
  const said = 'list them with `anneal runs ls`; make a token there: anneal token create; `npx anneal runs ls`';
  expect(asCalled(said, './anneal')).toBe(
    'list them with `./anneal runs ls`; make a token there: ./anneal token create; `npx anneal runs ls`',
  );
  calledElsewhere('remote --host https://gpu.lab', ['runs']);
  expect(asCalled(said, './anneal')).toBe(
    'list them with `./anneal remote --host https://gpu.lab runs ls`; make a token there: ./anneal token create; `npx anneal runs ls`',
  );
});

test('no command prints a hint that is not as called', () => {
  const sources = globSync('apps/agent/src/{commands,terminal}/*.ts', { cwd: join(import.meta.dirname, '..') });
  const named = new RegExp(`\\bprint\\([^\\n]*\\banneal (?:${verbs.map(({ name }) => name).join('|')})\\b`);
  const found = sources.filter((path) => named.test(readFileSync(join(import.meta.dirname, '..', path), 'utf8')));
  expect(sources.length).toBeGreaterThan(50);
  expect(found).toEqual([]);
});
