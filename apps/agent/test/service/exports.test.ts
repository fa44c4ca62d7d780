/** What a run is exported as: sizes known before, all or nothing, listed by its record, compared with the run, removed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { GGUF_TYPES } from '@anneal/core/export/ggufTypes';
import { type HubStandIn, startHub } from '@anneal/core/hub/testing/hubStandIn';
import type { ModelTensor } from '@anneal/core/models/model';
import { openModel } from '@anneal/core/models/open';
import { verdictOf } from '@anneal/core/protocol/parity';
import type { PushRequest } from '@anneal/core/protocol/push';
import { readRecipe } from '@anneal/core/recipe/read';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runApart } from '../../src/runner/runApart.ts';
import type { Context } from '../../src/service/context.ts';
import { exportSource } from '../../src/service/exports/export.ts';
import { listExports } from '../../src/service/exports/list.ts';
import { checkParity } from '../../src/service/exports/parity.ts';
import { planExport } from '../../src/service/exports/plan.ts';
import { readEntries } from '../../src/service/exports/record.ts';
import { removeExports } from '../../src/service/exports/remove.ts';
import { finish } from '../../src/service/finish.ts';
import { pushExport } from '../../src/service/push/push.ts';
import { trainedRun } from '../helpers/trainedRun.ts';

const runApartFile = new URL('../../src/runner/runApart.ts', import.meta.url).href;

let run: string;
beforeAll(async () => {
  run = await trainedRun();
});

const exported = (folder: string) => join(run, 'export', folder);
/** So much that whoever cancels it in the middle does so before its end. */
const longest = { merged: 'f32', gguf: GGUF_TYPES } as const;
const sizeOf = (files: readonly { bytes: number }[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Of the first layer, [out, in]. */
function queriesIn(path: string): Float32Array {
  const model = openModel(path);
  onTestFinished(() => model.close());
  return (model.tensors.get('layers.0.q') as ModelTensor).float32();
}

function ggufIn(folder: string, type = ''): string {
  const files = readdirSync(join(folder, 'gguf'));
  return join(folder, 'gguf', files.find((file) => file.includes(type)) as string);
}

function alphaIn(folder: string): number {
  const text = readFileSync(join(folder, 'lora', 'adapter_config.json'), 'utf8');
  return (JSON.parse(text) as { lora_alpha: number }).lora_alpha;
}

describe('an export', () => {
  test('has the sizes that the plan told, and is listed by its record', async () => {
    const plan = await finish(planExport({}, { source: run }));
    expect(plan.target).toBe(join(run, 'export', `step-${plan.step}`));
    const request = { source: run, lora: true, merged: 'bf16', gguf: ['q8_0', 'q2_k'], ollama: true } as const;
    const forms = await finish(exportSource({}, request));
    expect(forms.map(({ form }) => form)).toEqual(['lora', 'merged', 'gguf', 'ollama']);
    const listed = await listExports({}, { run });
    const sizes = Object.fromEntries(listed.map(({ form, type, files }) => [`${form} ${type}`, sizeOf(files)]));
    expect(sizes).toMatchObject({
      'lora null': plan.lora,
      'merged bf16': plan.merged.bf16,
      'gguf q8_0': plan.gguf?.q8_0,
      'gguf q2_k': plan.gguf?.q2_k,
      'ollama null': expect.any(Number),
    });
    expect(listed.every((entry) => entry.run?.id === basename(run) && entry.run.step === plan.step)).toBe(true);
  });

  test('by an importance matrix of the rows of the run, which is kept beside it', async () => {
    const forms: string[] = [];
    const request = { source: run, gguf: ['q4_0', 'f16'], imatrix: true, imatrixTokens: 600 } as const;
    const to = exported('important');
    await finish(exportSource({}, { ...request, to }), ({ form }) => forms.push(form));
    expect(new Set(forms)).toEqual(new Set(['imatrix', 'gguf']));
    const listed = (await listExports({}, { run })).filter(({ folder }) => folder === to);
    const [entry, f16] = ['q4_0', 'f16'].map((type) => listed.find((one) => one.type === type));
    expect(entry).toMatchObject({ type: 'q4_0', imatrix: { file: null, tokens: 600 } });
    expect(f16?.imatrix).toBeUndefined();
    const [name = ''] = readdirSync(join(run, 'importance'));
    expect(name).toBe(`step-${entry?.run?.step}-600.gguf`);
    const kept = join(run, 'importance', name);
    const again: string[] = [];
    await finish(exportSource({}, { ...request, to: exported('again') }), ({ form }) => again.push(form));
    expect(new Set(again)).toEqual(new Set(['gguf']));
    const file = { source: run, gguf: ['q4_0'], imatrixFile: kept, to: exported('of-a-file') } as const;
    await finish(exportSource({}, file));
    await finish(exportSource({}, { source: run, gguf: ['q4_0'], to: exported('plain') }));
    const bytes = ['again', 'of-a-file', 'plain'].map((folder) => readFileSync(ggufIn(exported(folder), 'Q4_0')));
    expect(bytes[1]).toEqual(bytes[0]);
    expect(bytes[2]).not.toEqual(bytes[0]);
  });

  test.each([
    [{ merged: 'bf16' }, 'an importance matrix is for GGUF files'],
    [{ gguf: ['q8_0'] }, 'takes notice of an importance matrix'],
    [{ gguf: ['q4_0'], imatrixFile: 'x.gguf' }, 'either from a file or from the rows'],
  ] as const)('an importance matrix that would be for nothing is refused: %j', async (wanted, what) => {
    const request = { source: run, imatrix: true, to: exported('never'), ...wanted };
    await expect(finish(exportSource({}, request))).rejects.toMatchObject({
      code: 'export_options',
      message: expect.stringContaining(what),
    });
    expect(existsSync(exported('never'))).toBe(false);
  });

  test('with an adapter scale has so much of what was learned, in every form, and is recorded as such', async () => {
    const to = exported('half');
    const forms = { lora: true, merged: 'f32', gguf: ['f32'], to: exported('whole') } as const;
    await finish(exportSource({}, { source: run, ...forms }));
    await finish(exportSource({}, { source: run, ...forms, to, adapterScale: 0.5 }));
    const { recipe } = await readRecipe(join(run, 'recipe.resolved.yaml'));
    const base = queriesIn(recipe.base_model);
    for (const pathIn of [(folder: string) => join(folder, 'merged'), ggufIn]) {
      const [half, whole] = [queriesIn(pathIn(to)), queriesIn(pathIn(forms.to))];
      const learned = whole.map((value, i) => value - (base[i] as number));
      const error = half.reduce((most, value, i) => {
        return Math.max(most, Math.abs(value - (base[i] as number) - 0.5 * (learned[i] as number)));
      }, 0);
      expect(error).toBeLessThan(1e-6);
      expect(Math.max(...learned)).toBeGreaterThan(1e-4);
    }
    expect(alphaIn(to)).toBe(0.5 * alphaIn(forms.to));
    expect(readEntries(to).map(({ adapterScale }) => adapterScale)).toEqual([0.5, 0.5, 0.5]);
    expect(readEntries(forms.to).every(({ adapterScale }) => adapterScale === undefined)).toBe(true);
    await expect(finish(exportSource({}, { source: run, gguf: ['q8_0'], to }))).rejects.toMatchObject({
      code: 'export_options',
      what: expect.stringContaining('at an adapter scale of 0.5'),
    });
    await expect(finish(checkParity({}, { source: run, exported: [join(to, 'merged')] }))).rejects.toMatchObject({
      code: 'export_scaled',
    });
    for (const folder of [to, forms.to]) rmSync(folder, { recursive: true });
  });

  test('that is cancelled leaves nothing, wherever it was', async () => {
    const before = readdirSync(join(run, 'export'));
    const request = { source: run, ...longest, to: exported('cancelled') };
    for await (const { done } of runApart('export', {}, request)) if (done === 3) break;
    expect(readdirSync(join(run, 'export'))).toEqual(before);

    const given = new AbortController();
    const waiting = finish(runApart('export', {}, { ...request, to: exported('a/b') }, given.signal), () =>
      given.abort(),
    );
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(run, 'export'))).toEqual(before);
  });

  test('whose agent is killed clears up after itself', async () => {
    const to = exported('killed');
    const program = `
      import { runApart } from ${JSON.stringify(runApartFile)};
      for await (const progress of runApart('export', {}, ${JSON.stringify({ source: run, ...longest, to })})) {
        console.log(JSON.stringify(progress));
        await new Promise(() => setInterval(() => {}, 1000));
      }`;
    const agent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(agent.stdout, 'data');
    agent.kill('SIGKILL');
    await vi.waitFor(() => expect(existsSync(to)).toBe(false), 10_000);
  });

  test('that would not fit on the disk is refused before anything is written', async () => {
    const { refuseWithoutRoom } = await import('../../src/service/exports/room.ts');
    const place = exported('elsewhere/deep');
    expect(() => refuseWithoutRoom(place, 1e15)).toThrow(/takes 1000 TB, .* GB are free/);
    expect(() => refuseWithoutRoom(place, 1)).not.toThrow();
  });

  test('adds to the record of a folder, and refuses one whose record it cannot read', async () => {
    const to = exported('named');
    await finish(exportSource({}, { source: run, lora: true, to }));
    await finish(exportSource({}, { source: run, gguf: ['f16'], to }));
    const listed = (await listExports({}, { run })).filter(({ folder }) => folder === to);
    expect(listed.map(({ form, path }) => [form, path])).toEqual([
      ['lora', 'lora'],
      ['gguf', expect.stringMatching(/^gguf\/.*-F16\.gguf$/)],
    ]);
    const record = join(to, 'anneal-export.json');
    const text = readFileSync(record, 'utf8');
    writeFileSync(record, text.replace('"gguf/', '"../../'));
    await expect(finish(exportSource({}, { source: run, merged: 'bf16', to }))).rejects.toMatchObject({
      code: 'export_record_damaged',
    });
    expect(existsSync(join(to, 'merged'))).toBe(false);
    await expect(listExports({}, { run })).rejects.toMatchObject({ where: record });
    writeFileSync(record, text);
  });

  test('of which a file is gone or lies behind a link is not listed', async () => {
    const to = exported('linked');
    await finish(exportSource({}, { source: run, lora: true, to }));
    const weights = join(to, 'lora', 'adapter_model.safetensors');
    const isListed = async () => (await listExports({}, { run })).some(({ folder }) => folder === to);
    expect(await isListed()).toBe(true);
    renameSync(weights, join(to, 'aside'));
    expect(await isListed()).toBe(false);
    symlinkSync(join(to, 'aside'), weights);
    expect(await isListed()).toBe(false);
  });
});

describe('a comparison of answers', () => {
  test('finds the same tokens in what is not rounded, keeps that, and finds a file that is another model', async () => {
    const to = exported('compared');
    await finish(exportSource({}, { source: run, lora: true, merged: 'f32', gguf: ['f32', 'q2_k'], to }));
    const entries = (await listExports({}, { run })).filter(({ folder }) => folder === to);
    const paths = entries.map(({ path }) => join(to, path));
    const phases = new Set<string>();
    const request = { source: run, exported: paths, maxTokens: 16 };
    const compared = await finish(checkParity({}, request), ({ phase }) => phases.add(phase));
    expect([...phases]).toEqual(['loading', 'answering']);
    for (const { path, parity } of compared) {
      expect([path, parity.promised]).toEqual([path, !path.endsWith('-Q2_K.gguf')]);
      if (parity.promised) expect([path, verdictOf(parity)]).toEqual([path, 'same']);
    }
    const kept = (await listExports({}, { run })).filter(({ folder }) => folder === to);
    expect(kept.map(({ parity }) => parity)).toEqual(compared.map(({ parity }) => parity));

    const other = join(dirname(to), 'other.gguf');
    const base = join(to, 'base');
    const baseModel = join(dirname(dirname(run)), 'model');
    await finish(exportSource({}, { source: baseModel, gguf: ['f32'], to: base }));
    copyFileSync(join(base, 'gguf', 'model-F32.gguf'), other);
    const [wrong] = await finish(checkParity({}, { ...request, exported: [other] }));
    expect(wrong && verdictOf(wrong.parity)).toBe('different');
    expect(wrong?.parity.prompts.some(({ partsAt, before, after }) => partsAt !== null && before !== after)).toBe(true);
  });
});

describe('a push', () => {
  let hub: HubStandIn;
  beforeEach(async () => {
    hub = await startHub('some/model', {});
    vi.stubEnv('HF_ENDPOINT', hub.url);
    return hub.close;
  });
  afterEach(() => vi.unstubAllEnvs());
  const contextOf = () => ({ runsFolder: dirname(run), secrets: { hf_token: hub.uploads.token } });
  const filesOf = (name: string) => hub.uploads.repositories.get(name)?.files ?? new Map<string, Buffer>();

  test('sends an adapter to the letter, with a card made from its run that names no path of this machine', async () => {
    const to = exported('pushed');
    await finish(exportSource({}, { source: run, lora: true, gguf: ['q8_0', 'f16'], ollama: true, to }));
    const request = { source: join(to, 'lora'), to: 'you/harbor' };
    const pushed = await finish(runApart('push', contextOf(), request));
    const sent = filesOf('you/harbor');
    const names = readdirSync(join(to, 'lora'));
    expect([...sent.keys()].sort()).toEqual(['.gitattributes', 'README.md', ...names].sort());
    for (const name of names) expect(sent.get(name)?.equals(readFileSync(join(to, 'lora', name)))).toBe(true);

    const card = String(sent.get('README.md'));
    const lock = JSON.parse(readFileSync(join(run, 'lock.json'), 'utf8'));
    const { summary } = JSON.parse(readFileSync(join(run, 'data', 'manifest.json'), 'utf8'));
    for (const part of [
      ...Object.values(lock),
      summary.files[0].sha256,
      'learning_rate:',
      'PeftModel',
      basename(run),
    ]) {
      expect(card).toContain(part);
    }
    expect(card).toMatch(/^---\nlibrary_name: peft\n/);
    expect(card).toMatch(/\| 60 \| \d+\.\d{4} \|/);
    expect(card).not.toContain(dirname(run));
    expect(pushed.warnings.join()).toContain(
      'adapter_config.json has a path of this machine as base_model_name_or_path',
    );
    expect(await finish(runApart('push', contextOf(), request))).toMatchObject({ sent: [], commit: pushed.commit });
  });

  test('sends the GGUF files of a folder together, with the Modelfile', async () => {
    const source = join(exported('pushed'), 'gguf');
    await finish(pushExport(contextOf(), { source, to: 'you/harbor-gguf', public: true }));
    expect([...filesOf('you/harbor-gguf').keys()].sort()).toEqual(
      ['.gitattributes', 'README.md', ...readdirSync(source)].sort(),
    );
    expect(hub.uploads.repositories.get('you/harbor-gguf')?.isPrivate).toBe(false);
    expect(String(filesOf('you/harbor-gguf').get('README.md'))).toContain('ollama create harbor-gguf -f Modelfile');
  });

  const refusal = (request: PushRequest, context: Context = contextOf()) => finish(pushExport(context, request));

  test('into a repository that everybody sees is refused while a file names a path of this machine', async () => {
    const to = exported('named-paths');
    await finish(exportSource({}, { source: run, lora: true, merged: 'bf16', to }));
    const write = (file: string, key: string, value: string) => {
      const path = join(to, file);
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), [key]: value }));
      return path;
    };
    const adapter = { source: join(to, 'lora'), to: 'you/harbor-public', public: true };
    const where = join(to, 'lora', 'adapter_config.json');
    await expect(refusal(adapter)).rejects.toMatchObject({ code: 'push_names_a_path', where });
    write('lora/adapter_config.json', 'base_model_name_or_path', 'org/base');
    expect((await finish(pushExport(contextOf(), adapter))).warnings.join()).not.toContain('a path of this machine');

    const merged = { source: join(to, 'merged'), to: 'you/harbor-merged', public: true };
    for (const value of [dirname(run), join(homedir(), 'models', 'that-was-here')]) {
      const config = write('merged/config.json', '_name_or_path', value);
      await expect(refusal(merged)).rejects.toMatchObject({ code: 'push_names_a_path', where: config });
    }
    write('merged/config.json', '_name_or_path', '/nowhere/on/this/machine');
    await finish(pushExport(contextOf(), merged));
    expect(filesOf('you/harbor-merged').size).toBeGreaterThan(3);
  });

  test('is refused before anything is asked of the hub where a description cannot be read', async () => {
    const to = exported('unreadable');
    await finish(exportSource({}, { source: run, lora: true, to }));
    const config = join(to, 'lora', 'adapter_config.json');
    writeFileSync(config, '{');
    const request = { source: join(to, 'lora'), to: 'you/harbor-unreadable' };
    await expect(refusal(request)).rejects.toMatchObject({ code: 'invalid_json', where: config });
    expect(hub.requests).toEqual([]);
  });

  test('is refused without a token, of a run in several forms, of what is no export, and to ModelScope', async () => {
    const to = 'you/harbor';
    const source = join(exported('pushed'), 'lora');
    await expect(refusal({ source, to }, {})).rejects.toMatchObject({ code: 'hub_token_missing' });
    await expect(refusal({ source: run, to })).rejects.toMatchObject({ code: 'push_ambiguous' });
    await expect(refusal({ source: join(run, 'data'), to })).rejects.toMatchObject({ code: 'export_not_found' });
    await expect(refusal({ source: 'no-such-run', to })).rejects.toMatchObject({ code: 'run_not_found' });
    await expect(refusal({ source, to, hub: 'modelscope' })).rejects.toMatchObject({ code: 'hub_not_served' });
    expect(hub.requests).toEqual([]);
  });
});

describe('removing', () => {
  test('takes what was exported and nothing else', async () => {
    const to = exported('removed');
    await finish(exportSource({}, { source: run, lora: true, gguf: ['f16', 'q8_0'], to }));
    const pathOf = new Map<string, string>();
    for (const { folder, form, type, path } of await listExports({}, { run })) {
      if (folder === to) pathOf.set(type ?? form, join(to, path));
    }
    const [lora, f16, q8] = ['lora', 'f16', 'q8_0'].map((name) => pathOf.get(name));
    writeFileSync(join(to, 'lora', 'notes.txt'), 'mine');
    const paths = [lora, f16] as string[];
    await expect(removeExports({}, { run, paths })).rejects.toMatchObject({
      code: 'export_entry_foreign',
      what: expect.stringContaining('notes.txt'),
    });
    await expect(removeExports({}, { run, paths: [join(run, 'checkpoints')] })).rejects.toMatchObject({
      code: 'export_not_found',
    });
    await removeExports({}, { run, paths: [f16] as string[] });
    expect(readdirSync(join(to, 'gguf'))).toEqual([basename(q8 as string)]);
    mkdirSync(join(to, 'kept'));
    renameSync(join(to, 'lora', 'notes.txt'), join(to, 'kept', 'notes.txt'));
    await removeExports({}, { run, paths: [lora, q8] as string[] });
    expect(readdirSync(to)).toEqual(['kept']);
  });
});
