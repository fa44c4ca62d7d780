/** The archive that `npm run bundle` makes, on a host of which it may use nothing. Making it takes a minute: under CI only. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openGguf } from '@anneal/formats/gguf/read';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './testing/temporaryFolder.ts';

const root = join(import.meta.dirname, '..');
const minute = 60_000;

describe.skipIf(process.env.CI !== 'true')('the bundle (under CI=true, as making it takes a minute)', () => {
  let folder: string;
  let bundle: string;

  beforeAll(() => {
    execFileSync(process.execPath, [join(root, 'scripts', 'bundle.ts')], { stdio: 'inherit' });
    const archives = readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.tar.xz'));
    expect(archives).toHaveLength(1);
    const archive = join(root, 'dist', archives[0] as string);
    expect(statSync(archive).size).toBeLessThan(55e6);
    folder = temporaryFolder('a bundle');
    execFileSync('tar', ['-xf', archive, '-C', folder]);
    bundle = join(folder, readdirSync(folder)[0] as string);
  }, 15 * minute);

  /** With an empty PATH and nothing else in the environment, in a folder that is not the bundle's. */
  function anneal(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(join(bundle, 'anneal'), args, {
      cwd: folder,
      env: { PATH: '', HOME: folder },
      encoding: 'utf8',
    });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  it('says what it can do', () => {
    expect(anneal('--help')).toContain('Usage: anneal');
  });

  it('finds all it brings along', () => {
    const findings = JSON.parse(anneal('doctor', '--json'));
    const failed = JSON.stringify(findings).match(/"state":"fail"/g) ?? [];
    expect(failed, JSON.stringify(findings, null, 2)).toEqual([]);
  });

  it('says whether it can use a GPU', () => {
    const { findings } = JSON.parse(anneal('doctor', '--json')) as { findings: { name: string; found: string }[] };
    const { found } = findings.find(({ name }) => name === 'CUDA') ?? { found: '' };
    const readme = readFileSync(join(bundle, 'README'), 'utf8');
    if (found.startsWith('this build has none')) expect(readme).toContain('it trains on the CPU alone');
    else
      for (const target of ['80-real', '90a-real', '100-real', '120-real', '-virtual']) expect(found).toContain(target);
  });

  it('passes its own test', () => void anneal('selftest', '--device', 'cpu'), 5 * minute);

  it(
    'trains, answers and exports',
    () => {
      anneal('init', 'project');
      // A letter that is left to the tokenizers library, which runs in a process of its own.
      const data = join(folder, 'project', 'data', 'harbour.jsonl');
      const rows = readFileSync(data, 'utf8');
      writeFileSync(data, rows.replace('Mind the ropes', 'Mind the \u0295opes'));
      anneal('validate', 'project/recipe.yaml');
      const inspected = JSON.parse(anneal('inspect', 'project/recipe.yaml', '--json'));
      expect(JSON.stringify(inspected)).toContain('harbour.jsonl');
      anneal('train', 'project/recipe.yaml', '--set', 'max_steps=4');
      const [run] = readdirSync(join(folder, 'project', 'runs'));
      const path = join('project', 'runs', run as string);
      const events = readFileSync(join(folder, path, 'events.jsonl'), 'utf8');
      expect(events).toContain('"type":"finished"');
      expect(anneal('chat', path, '--prompt', 'Who are you?').trim()).not.toBe('');
      anneal('export', path, '--gguf', 'q8_0');
      const [file] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.gguf'),
      );
      expect(openGguf(join(folder, file as string)).tensors.size).toBeGreaterThan(10);
    },
    5 * minute,
  );

  it('serves the studio', async () => {
    const env = { PATH: '', HOME: folder };
    const agent = spawn(join(bundle, 'anneal'), ['serve', '--port', '0', '--json'], { cwd: folder, env });
    try {
      const [line] = (await once(createInterface(agent.stdout), 'line')) as [string];
      const page = await fetch((JSON.parse(line) as { url: string }).url);
      expect(await page.text()).toContain('<title>Anneal</title>');
    } finally {
      agent.kill();
    }
    expect((await once(agent, 'exit'))[0]).toBe(0);
  });

  it('brings the licenses of what others wrote', () => {
    const notices = readFileSync(join(bundle, 'THIRD_PARTY_NOTICES'), 'utf8');
    for (const name of [
      'node 24',
      'tokenizers',
      '@duckdb/node-bindings',
      'zod',
      'yaml',
      'commander',
      'hono',
      'react-dom',
      'uplot',
      'monaco-editor',
      'yjs',
      '@hocuspocus/server',
    ]) {
      expect(notices).toContain(`\n${name}`);
    }
    expect(existsSync(join(bundle, 'LICENSE'))).toBe(true);
  });
});
