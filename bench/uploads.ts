/**
 * How fast a file goes into the workspace: `node bench/uploads.ts NAME [--megabytes 2000] [--part 16]`. Sends it as the studio does, by
 * the tus protocol in parts, over loopback, and compares what arrived. Writes bench/results/NAME.json; beside it stands what the disk
 * takes alone.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { BenchAgent, round } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/uploads.ts',
  about: 'Measures uploads; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { megabytes: 2000, part: 16 },
});
const [name] = names as [string];
const size = values.megabytes * 1e6;
const partBytes = values.part * 2 ** 20;
const repeats = 3;

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const piece = Buffer.alloc(1 << 20, '{"text": "The tide comes in at six and goes out at noon."}\n');

const agent = new BenchAgent();
try {
  await agent.start();
  const disk = await diskSpeed();
  const rates: number[] = [];
  const start = { agent: agent.processorSeconds, own: process.cpuUsage() };
  for (let time = 0; time < repeats; time++) {
    const began = performance.now();
    await upload(`rows-${time}.jsonl`);
    rates.push(size / 1e6 / ((performance.now() - began) / 1000));
    await compare(`rows-${time}.jsonl`);
  }
  rates.sort((a, b) => a - b);
  const own = process.cpuUsage(start.own);
  const result = {
    what: `${values.megabytes} MB uploaded in parts of ${values.part} MiB over loopback, synced at the end; median of ${repeats}`,
    megabytesPerSecond: { median: round(rates[1] as number), all: rates.map((rate) => round(rate)) },
    /** Written and synced by one process, without a network. */
    diskMegabytesPerSecond: round(disk),
    agentProcessorSecondsPerGigabyte: round((agent.processorSeconds - start.agent) / ((repeats * size) / 1e9), 2),
    generatorProcessorSecondsPerGigabyte: round((own.user + own.system) / 1e6 / ((repeats * size) / 1e9), 2),
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(name, result));
} finally {
  await agent.remove();
}

async function diskSpeed(): Promise<number> {
  const file = await open(join(agent.workspace, 'disk'), 'w');
  const began = performance.now();
  for (let done = 0; done < size; done += piece.length) await file.write(piece, 0, Math.min(piece.length, size - done));
  await file.sync();
  await file.close();
  return size / 1e6 / ((performance.now() - began) / 1000);
}

async function upload(file: string): Promise<void> {
  const created = await ask('POST', '/api/uploads', {
    'upload-length': String(size),
    'upload-metadata': `filename ${encoded(file)},folder ${encoded('')}`,
  });
  const path = created.location as string;
  for (let offset = 0; offset < size; ) {
    const bytes = Math.min(partBytes, size - offset);
    await ask(
      'PATCH',
      path,
      { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
      bytes,
    );
    offset += bytes;
  }
}

function ask(
  method: string,
  path: string,
  headers: Record<string, string>,
  bytes = 0,
): Promise<{ location?: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ location?: string | undefined }>();
  const sent = request(`${agent.url}${path}`, {
    method,
    headers: { ...headers, 'content-length': bytes, 'tus-resumable': '1.0.0', cookie: agent.cookie, origin: agent.url },
  });
  sent.on('error', reject);
  sent.on('response', (answer) => {
    answer.resume();
    if ((answer.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode}`));
    answer.once('end', () => resolve({ location: answer.headers.location }));
  });
  let left = bytes;
  const write = () => {
    while (left > 0) {
      const next = piece.subarray(0, Math.min(piece.length, left));
      left -= next.length;
      if (!sent.write(next)) return void sent.once('drain', write);
    }
    sent.end();
  };
  write();
  return promise;
}

/** Every part begins anew in the text. */
async function compare(file: string): Promise<void> {
  const [sent, arrived] = [createHash('sha256'), createHash('sha256')];
  for (let offset = 0; offset < size; offset += partBytes) {
    const part = Math.min(partBytes, size - offset);
    for (let done = 0; done < part; done += piece.length)
      sent.update(piece.subarray(0, Math.min(piece.length, part - done)));
  }
  for await (const chunk of createReadStream(join(agent.workspace, file))) arrived.update(chunk as Buffer);
  if (sent.digest('hex') !== arrived.digest('hex')) throw new Error('what arrived is not what was sent');
}
