/**
 * Measures many people in one recipe: `node bench/coediting.ts NAME [--editors 50] [--seconds 30] [--rate 3]`.
 * An agent of its own process on loopback; the editors are clients in this one, each with its cursor, as browsers are.
 * A delay is from a keystroke of one to its arrival in the text of another. Writes bench/results/NAME.json; run it on an
 * otherwise idle machine, from a clean commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { BenchAgent, percentiles, round } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/coediting.ts',
  about: 'Measures many people in one recipe; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { editors: 50, seconds: 30, rate: 3 },
});
const [name] = names as [string];
const { editors: count, seconds, rate } = values;

const agent = new BenchAgent();
const file = join(agent.workspace, 'recipe.yaml');
writeFileSync(file, `base_model: model\n${Array.from({ length: count }, (_, i) => `# editor ${i}:\n`).join('')}`);
try {
  await agent.start();
  const client = agent.client();
  const { document } = await client.api.recipes.open.query({ recipe: 'recipe.yaml' });
  await client.close();
  await measure(document);
} finally {
  await agent.remove();
}

interface Editor {
  text: Y.Text;
  provider: HocuspocusProvider;
  close(): void;
}

async function measure(document: string): Promise<void> {
  const sent = new Map<string, number>();
  const delays: number[] = [];
  const editors = await Promise.all(Array.from({ length: count }, () => open(document)));
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
  const before = { agent: agent.processorSeconds, own: process.cpuUsage(), at: performance.now() };
  await Promise.all(editors.map((editor, index) => type(editor, index, sent)));
  const wall = (performance.now() - before.at) / 1000;
  const own = process.cpuUsage(before.own);
  const [first] = editors as [Editor];
  const expected = sent.size * (count - 1);
  for (let patience = 0; delays.length < expected && patience < 100; patience++) await wait(100);
  const agentCores = (agent.processorSeconds - before.agent) / wall;
  const texts = new Set(editors.map(({ text }) => text.toString()));
  for (let patience = 0; readFileSync(file, 'utf8') !== first.text.toString() && patience < 50; patience++)
    await wait(100);
  const converged = texts.size === 1 && readFileSync(file, 'utf8') === first.text.toString();
  for (const editor of editors) editor.close();

  const result = {
    what: `${count} editors on loopback, each ${rate} keystrokes a second for ${seconds} s, with its cursor; delay from a keystroke to its arrival at another editor`,
    keystrokes: sent.size,
    arrivals: delays.length,
    arrivalsExpected: expected,
    converged,
    delayMilliseconds: percentiles(delays),
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

async function open(document: string): Promise<Editor> {
  const { url, cookie } = agent;
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
