/** `anneal synthesize` as a user runs it: killed at any moment, stopped, and asking our own agent. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  type EndpointStandIn,
  pairsAbout,
  standIn,
} from '../../../packages/core/src/synthesis/testing/endpointStandIn.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { starterFolder } from '../src/service/starterFolder.ts';
import { annealIn, annealPath, startNode, temporaryFolder } from './helpers/anneal.ts';
import { makePlace, start } from './helpers/daemon.ts';

const requests = 30;

/** Thirty paragraphs, one a request. */
function project(url: string, endpoint: Record<string, unknown> = {}): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'docs'));
  const paragraphs = Array.from({ length: requests }, (_, i) => {
    const name = String.fromCharCode(97 + (i % 26)).repeat(6 + (i % 5));
    return `The ${name} lighthouse has ${i} steps and a lamp of ${name} glass, and ${i * 7} ships pass it.`;
  });
  writeFileSync(join(folder, 'docs', 'lighthouses.md'), paragraphs.join('\n\n'));
  const recipe = {
    endpoint: { url, model: 'small', concurrency: 2, ...endpoint },
    sources: [{ path: 'docs' }],
    output: 'rows.jsonl',
    chunk_chars: 150,
  };
  writeFileSync(join(folder, 'questions.yaml'), JSON.stringify(recipe));
  return folder;
}

const rowsOf = (folder: string): string => readFileSync(join(folder, 'rows.jsonl'), 'utf8');

/** The answers that are kept, in whole lines. */
function keptIn(folder: string): number {
  const path = join(folder, 'rows.synthesis', 'answers.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

describe('anneal synthesize', () => {
  it('makes rows that train as they are: inspect says so, and names where they come from', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint.url);
    const anneal = annealIn(folder);
    const dry = await anneal('synthesize', 'questions.yaml', '--dry-run');
    expect(dry.code, dry.stderr).toBe(exitCodes.done);
    expect(dry.stdout).toMatch(/to do +30 requests: about [\d,]+ tokens sent, at most 30,720 answered/);
    expect(endpoint.asked).toHaveLength(0);
    const made = await anneal('synthesize', 'questions.yaml');
    expect(made.code, made.stderr).toBe(exitCodes.done);
    expect(made.stdout).toMatch(/rows +60 in .*rows\.jsonl/);
    const inspected = await anneal('inspect', 'rows.jsonl', '--model', join(starterFolder, 'model'));
    expect(inspected.code, inspected.stderr).toBe(exitCodes.done);
    expect(inspected.stdout).toMatch(/provenance +60 rows of .*anneal_provenance, not trained/);
    expect(inspected.stdout).toMatch(/60: 60 kept, 0 truncated, 0 dropped\n/);
    expect(inspected.stdout).not.toMatch(/not read|left out/);
  });

  it('gives the same rows when it was killed on the way, and asks nothing twice that was answered', async () => {
    const whole = project((await standIn()).url);
    expect((await annealIn(whole)('synthesize', 'questions.yaml')).code).toBe(exitCodes.done);
    let kill: (() => void) | undefined;
    let killAt = 3;
    const endpoint: EndpointStandIn = await standIn(pairsAbout, () => {
      if (endpoint.asked.length < killAt) return false;
      kill?.();
      return false;
    });
    // The key tells whose request it was: one of a killed process may still be on its way.
    const folder = project(endpoint.url, { api_key_env: 'PROCESS' });
    for (let round = 0; round < 3; round++) {
      killAt = endpoint.asked.length + 3 + 4 * round;
      const { child, ended } = startNode([annealPath, 'synthesize', 'questions.yaml'], folder, { PROCESS: `${round}` });
      kill = () => child.kill('SIGKILL');
      expect((await ended).code).toBe('SIGKILL');
    }
    kill = undefined;
    const before = keptIn(folder);
    expect(before).toBeGreaterThan(0);
    const { code, stderr } = await annealIn(folder, { PROCESS: 'last' })('synthesize', 'questions.yaml');
    expect(code, stderr).toBe(exitCodes.done);
    const asked = endpoint.headers.filter(({ authorization }) => authorization === 'Bearer last');
    expect(asked).toHaveLength(requests - before);
    expect(keptIn(folder)).toBe(requests);
    expect(rowsOf(folder)).toBe(rowsOf(whole));
  });

  it('saves what there is at Ctrl-C, and goes on from there', async () => {
    let stop: (() => void) | undefined;
    const endpoint: EndpointStandIn = await standIn(pairsAbout, () => {
      if (endpoint.asked.length < 12) return false;
      stop?.();
      return stop !== undefined; // what is under way is never answered
    });
    const folder = project(endpoint.url);
    const { child, ended } = startNode([annealPath, 'synthesize', 'questions.yaml', '--json'], folder);
    let isTold = false;
    stop = () => {
      if (!isTold) isTold = child.kill('SIGINT');
    };
    const { code, stdout } = await ended;
    expect(code).toBe(exitCodes.stopped);
    const kept = keptIn(folder);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'stopped', answered: kept, rows: 2 * kept });
    expect(rowsOf(folder).split('\n')).toHaveLength(2 * kept + 1);
    stop = undefined;
    expect((await annealIn(folder)('synthesize', 'questions.yaml')).stdout).toMatch(/rows +60 in/);
  });

  it('needs the variable of the key, sends it to the endpoint, and tells it to nobody else', async () => {
    const endpoint = await standIn();
    const folder = project(endpoint.url, { api_key_env: 'HARBOR_KEY' });
    const without = await annealIn(folder)('synthesize', 'questions.yaml');
    expect(without.code).toBe(exitCodes.badInput);
    expect(without.stderr).toContain('HARBOR_KEY is not set');
    const environment = { HARBOR_KEY: 'sk-of-harbor', HF_TOKEN: 'hf_of_harbor' };
    const made = await annealIn(folder, environment)('synthesize', 'questions.yaml');
    expect(made.code, made.stderr).toBe(exitCodes.done);
    expect(endpoint.headers[0]?.authorization).toBe('Bearer sk-of-harbor');
    expect(JSON.stringify([endpoint.headers, endpoint.asked])).not.toContain('hf_of_harbor');
    const written = ['rows.jsonl', 'rows.synthesis/answers.jsonl'].map((name) =>
      readFileSync(join(folder, name), 'utf8'),
    );
    expect([made.stdout, made.stderr, ...written].join('')).not.toContain('sk-of-harbor');
  });
});

it("asks our own agent's /v1 with the starter model", async () => {
  const place = makePlace();
  vi.stubEnv('ANNEAL_CACHE', join(place.workspace, '..', 'cache'));
  try {
    cpSync(join(starterFolder, 'model'), join(place.workspace, 'project', 'model'), { recursive: true });
    const daemon = await start(place);
    const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('synthesize', 'chat');
    const folder = project(`${daemon.url}/v1`, { model: 'project/model', api_key_env: 'AGENT_TOKEN', max_tokens: 24 });
    const anneal = annealIn(folder, { AGENT_TOKEN: token });
    const { code, stdout, stderr } = await anneal('synthesize', 'questions.yaml', '--set', 'max_chunks=3', '--json');
    // A model of this size writes sentences about harbors, and no JSON: every answer is kept with the reason.
    expect(JSON.parse(stdout), stderr).toMatchObject({ error: { code: 'no_rows_made' } });
    expect(code).toBe(exitCodes.failed);
    const rejected = readFileSync(join(folder, 'rows.synthesis', 'rejected.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(rejected).toHaveLength(3);
    for (const line of rejected) {
      expect(JSON.parse(line)).toMatchObject({
        reason: expect.stringMatching(/^(cut_off|not_json)$/),
        content: expect.stringMatching(/\w/),
        anneal_provenance: { source: 'docs/lighthouses.md', model: 'project/model' },
      });
    }
    const rewriting = [
      '--set',
      'task=answer',
      '--set',
      'sources=[{path: asked.jsonl}]',
      '--set',
      'endpoint.max_tokens=200',
    ];
    writeFileSync(join(folder, 'asked.jsonl'), '{"messages": [{"role": "user", "content": "Who are you?"}]}\n');
    const answered = await anneal('synthesize', 'questions.yaml', ...rewriting);
    expect(answered.code, answered.stderr).toBe(exitCodes.done);
    expect(JSON.parse(rowsOf(folder)).messages).toEqual([
      { role: 'user', content: 'Who are you?' },
      { role: 'assistant', content: expect.stringMatching(/\w{3}/) },
    ]);
  } finally {
    vi.unstubAllEnvs();
  }
});
