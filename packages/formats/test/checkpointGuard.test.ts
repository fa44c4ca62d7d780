import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusePickle } from '../src/checkpointGuard.ts';
import { openSafetensors } from '../src/safetensors/read.ts';
import { temporaryFolder, userError } from './helpers.ts';

const folder = temporaryFolder();

describe('a pickle', () => {
  it.each(['pytorch_model.bin', 'model.pt', 'model.pth', 'model.ckpt', 'weights.PKL'])('%s is refused', (name) => {
    const own = join(folder, name.replace('.', '-'));
    mkdirSync(own);
    writeFileSync(join(own, name), '');
    writeFileSync(join(own, 'config.json'), '{}');
    for (const path of [own, join(own, name)]) {
      const error = userError(() => openSafetensors(path));
      expect(error).toMatchObject({ code: 'pickle_checkpoint', where: path });
      expect(error.what).toContain(`${name} is a pickle: loading it can execute code`);
      expect(error.next).toContain('safe_serialization=True');
    }
  });

  it('beside safetensors does not matter', () => {
    const own = join(folder, 'both');
    mkdirSync(own);
    for (const name of ['pytorch_model.bin', 'model.safetensors']) writeFileSync(join(own, name), '');
    expect(() => refusePickle(own)).not.toThrow();
  });

  it('is not what an empty or missing folder is called', () => {
    const own = join(folder, 'empty');
    mkdirSync(own);
    expect(userError(() => openSafetensors(own)).code).toBe('no_safetensors');
    expect(() => refusePickle(join(folder, 'missing'))).not.toThrow();
  });
});
