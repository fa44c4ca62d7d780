// Child of planFuzz.test.ts: damages an encoded plan `count` times and prints how many were refused with an Error.
import { addon } from '../src/addon.ts';
import { integer, randomFrom } from '../src/cases/numbers.ts';
import { cpuDevice, nativeName } from '../src/device.ts';
import { checksum } from '../src/encode.ts';
import { miniBatch, miniModel } from './miniModel.ts';

const [kind = 'none', count = '1'] = process.argv.slice(2);
const random = randomFrom(1);
const device = cpuDevice({ threads: 1 });
const problem = miniModel({ layers: 1, lora: true, tied: true, dropout: 0, bounds: { T: 5, S: 3 } });
const plan = problem.compile({ activations: 'recompute' }, device);
const whole = plan.encode();

/** The plan's version and the sizes of its memories stay: another version is refused at once, a huge memory could use up the machine's. */
const headerBytes = 20;

function damaged(): Uint8Array {
  if (kind === 'none') return whole;
  if (kind.startsWith('cut')) return sealed(whole.slice(0, integer(random, whole.length - 4)));
  const copy = whole.slice();
  const end = copy.length - 4;
  for (let flips = 1 + integer(random, 3); flips > 0; flips--) {
    const at = headerBytes + integer(random, end - headerBytes);
    copy[at] = (copy[at] as number) ^ (1 + integer(random, 255));
  }
  return kind === 'seal' ? sealed(copy.slice(0, end)) : copy;
}

function sealed(body: Uint8Array): Uint8Array {
  if (!kind.endsWith('seal')) return body;
  const out = new Uint8Array(body.length + 4);
  out.set(body);
  new DataView(out.buffer).setInt32(body.length, checksum(body), true);
  return out;
}

let refused = 0;
let accepted = 0;
for (let i = 0; i < Number(count); i++) {
  try {
    new (addon().NativeEngine)(damaged(), nativeName(device)).dispose();
    accepted++;
  } catch (error) {
    if (!(error instanceof Error) || error.message === '') throw error;
    refused++;
  }
}
if (kind === 'none') await problem.step(plan, [miniBatch([3, 2], 1)], device);
process.stdout.write(JSON.stringify({ refused, accepted }));
