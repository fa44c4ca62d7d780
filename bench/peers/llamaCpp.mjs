// The peer of `anneal bench --suite decode`: llama.cpp on the same GGUF file, batch 1.
// usage: node bench/peers/llamaCpp.mjs NODE_MODULES MODEL.gguf [threads] [promptLength] [newTokens] [repeats]
// NODE_MODULES is a folder in which node-llama-cpp is installed. Prints one JSON row each for prompt and decode.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, modelPath, threads = '2', promptLength = '512', newTokens = '64', repeats = '3'] =
  process.argv.slice(2);
const entry = pathToFileURL(join(resolve(modules), 'node-llama-cpp/dist/index.js')).href;
const { getLlama } = await import(entry);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath });
const contextSize = Number(promptLength) + Number(newTokens) + 8;
const context = await model.createContext({ contextSize, batchSize: Number(promptLength), threads: Number(threads) });
const sequence = context.getSequence();
const prompt = Array.from({ length: Number(promptLength) }, (_, i) => (i * 7919 + 11) % 40_000);

const reading = [];
const decoding = [];
for (let repeat = 0; repeat <= Number(repeats); repeat++) {
  await sequence.clearHistory();
  const start = performance.now();
  let first = 0;
  let made = 0;
  for await (const _ of sequence.evaluate(prompt, { temperature: 0 })) {
    first ||= performance.now();
    if (++made >= Number(newTokens)) break;
  }
  if (repeat === 0) continue; // warm-up
  reading.push(first - start);
  decoding.push((performance.now() - first) / (made - 1));
}

const row = (suite, tokens, milliseconds) => {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  return {
    suite,
    peer: 'llama.cpp (node-llama-cpp)',
    shape: modelPath.replace(/^.*\//, ''),
    device: `CPU, ${threads} threads`,
    sequenceLen: Number(promptLength),
    tokensPerSecond: (tokens / median) * 1000,
    msPerStep: median,
    spread: (sorted.at(-1) - sorted[0]) / median,
    newTokens: Number(newTokens),
  };
};
console.log(JSON.stringify(row('prompt', Number(promptLength), reading)));
console.log(JSON.stringify(row('decode', 1, decoding)));
process.exit(0);
