import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures.ts';
import { peerSmolLm2 } from '../peers.ts';

const model = await peerSmolLm2();
const child = fileURLToPath(new URL('../child/memory.ts', import.meta.url));

test.skipIf(model === null || process.platform !== 'linux').each([['f32'], ['bf16']])(
  'the plan of SmolLM2 in $0 is what is allocated, and within 5 % of what the process takes',
  { timeout: 600_000 },
  async (type) => {
    const folder = temporaryFolder();
    const text = join(folder, 'text.txt');
    // Rows as full as the plan allows for: what is planned for more tokens than come is never touched.
    writeFileSync(text, 'the keeper lights the lamp at dusk and puts it out at dawn. '.repeat(100));
    const recipe = {
      base_model: model,
      datasets: [{ path: text }],
      sequence_len: 256,
      micro_batch_size: 1,
      gradient_accumulation_steps: 1,
      bf16: type === 'bf16',
      max_steps: 2,
      threads: 2,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(recipe), folder]);
    const { planned, mapped, base, peak } = JSON.parse(stdout) as Record<
      'planned' | 'mapped' | 'base' | 'peak',
      number
    >;
    const page = 4096;
    expect(mapped).toBe(Math.ceil(planned / page) * page);
    expect(Math.abs(peak - base - planned) / planned).toBeLessThan(0.05);
  },
);
