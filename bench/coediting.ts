/**
 * Measures many people in one recipe: `node bench/coediting.ts NAME [--editors 50] [--seconds 30] [--rate 3]`.
 * An agent of its own process on loopback; the editors are clients in this one, each with its cursor, as browsers are.
 * A delay is from a keystroke of one to its arrival in the text of another. Writes bench/results/NAME.json; run it on an
 * otherwise idle machine, from a clean commit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import type { AppRouter } from '../apps/agent/src/daemon/router/index.ts';
import { writeResults } from './results.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    editors: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '3' },
  },
});
const [name] = positionals;
if (name === undefined) throw new Error('usage: node bench/coediting.ts NAME');
const [count, seconds, rate] = [values.editors, values.seconds, values.rate].map(Number) as [number, number, number];

const workspace = mkdtempSync(join(tmpdir(), 'anneal-coediting-'));
const file = join(workspace, 'recipe.yaml');
writeFileSync(file, `base_model: model\n${Array.from({ length: count }, (_, i) => `# editor ${i}:\n`).join('')}`);
const agent = spawn(
  process.execPath,
  [join(import.meta.dirname, '..', 'apps', 'agent', 'bin', 'anneal.mjs'), 'serve', '--json', '--port', '0'],
  {
    cwd: workspace,
    env: { ...process.env, XDG_DATA_HOME: join(workspace, '.state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  const [line] = (await once(createInterface(agent.stdout), 'line')) as [string];
  const { url, link } = JSON.parse(line) as { url: string; link: string };
  const { cookie, document } = await openRecipe(url, new URL(link).hash.slice(1));
  await measure(url, cookie, document);
} finally {
  agent.kill();
  await once(agent, 'exit');
  rmSync(workspace, { recursive: true });
}

interface Editor {
  text: Y.Text;
  provider: HocuspocusProvider;
  close(): void;
}

async function measure(url: string, cookie: string, document: string): Promise<void> {
  const sent = new Map<string, number>();
  const delays: number[] = [];
  const editors = await Promise.all(Array.from({ length: count }, () => open(url, cookie, document)));
  for (const [reader, { text }] of editors.entries()) {
    text.observe((event) => {
      const now = performance.now();
      for (const { insert } of event.delta) {
        for (const [key = '', writer] of String(insert ?? '').matchAll(/<(\d+)\.\d+>/g)) {
          if (Number(writer) !== reader) delays.push(now - (sent.get(key) ?? Number.NaN));
        }
      }
    });
  }
  const before = { agent: agentSeconds(), own: process.cpuUsage(), at: performance.now() };
  await Promise.all(editors.map((editor, index) => type(editor, index, sent)));
  const wall = (performance.now() - before.at) / 1000;
  const own = process.cpuUsage(before.own);
  const [first] = editors as [Editor];
  const expected = sent.size * (count - 1);
  for (let patience = 0; delays.length < expected && patience < 100; patience++) await wait(100);
  const agentCores = (agentSeconds() - before.agent) / wall;
  const texts = new Set(editors.map(({ text }) => text.toString()));
  for (let patience = 0; readFileSync(file, 'utf8') !== first.text.toString() && patience < 50; patience++)
    await wait(100);
  const converged = texts.size === 1 && readFileSync(file, 'utf8') === first.text.toString();
  for (const editor of editors) editor.close();

  delays.sort((a, b) => a - b);
  const at = (share: number) =>
    round(delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? Number.NaN);
  const result = {
    what: `${count} editors on loopback, each ${rate} keystrokes a second for ${seconds} s, with its cursor; delay from a keystroke to its arrival at another editor`,
    keystrokes: sent.size,
    arrivals: delays.length,
    arrivalsExpected: expected,
    converged,
    delayMilliseconds: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    agentCores: round(agentCores, 2),
    generatorCores: round((own.user + own.system) / 1e6 / wall, 2),
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(name as string, result));
}

/** Writes at the end of its own line, at moments of its own. */
async function type({ text, provider }: Editor, index: number, sent: Map<string, number>): Promise<void> {
  await wait((index / count) * (1000 / rate));
  const end = performance.now() + 1000 * seconds;
  for (let number = 0; performance.now() < end; number++) {
    const key = `<${index}.${number}>`;
    const line = text.toString().indexOf(`# editor ${index}:`);
    const place = text.toString().indexOf('\n', line);
    sent.set(key, performance.now());
    text.insert(place, key);
    const cursor = Y.createRelativePositionFromTypeIndex(text, place + key.length);
    provider.setAwarenessField('selection', { anchor: cursor, head: cursor });
    await wait(1000 / rate);
  }
}

async function open(url: string, cookie: string, document: string): Promise<Editor> {
  class Browser extends WebSocket {
    constructor(address: string) {
      super(address, { headers: { cookie, origin: url } });
    }
  }
  const doc = new Y.Doc();
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: `${url.replace('http', 'ws')}/recipes/live`,
    WebSocketPolyfill: Browser,
  });
  const synced = Promise.withResolvers<void>();
  const provider = new HocuspocusProvider({
    websocketProvider,
    name: document,
    document: doc,
    onSynced: () => synced.resolve(),
  });
  provider.attach();
  provider.setAwarenessField('user', { name: 'editor', color: 0 });
  await synced.promise;
  const close = () => {
    provider.destroy();
    websocketProvider.destroy();
  };
  return { text: doc.getText('recipe'), provider, close };
}

/** Pairs, and asks what the document is called. */
async function openRecipe(url: string, code: string): Promise<{ cookie: string; document: string }> {
  const body = JSON.stringify({ code });
  const answer = await fetch(`${url}/api/pair`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  class Browser extends WebSocket {
    constructor(address: string) {
      super(address, { headers: { cookie, origin: url } });
    }
  }
  const socket = createWSClient({
    url: `${url.replace('http', 'ws')}/trpc`,
    WebSocket: Browser as unknown as typeof globalThis.WebSocket,
  });
  const api = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
  const { document } = await api.recipes.open.query({ recipe: 'recipe.yaml' });
  await socket.close();
  return { cookie, document };
}

/** Processor time of the agent so far, from Linux' proc file system. */
function agentSeconds(): number {
  const fields = readFileSync(`/proc/${agent.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
