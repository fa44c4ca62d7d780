/** A refusal that had no cause of its own, met while a checkpoint was saved, was hidden by a TypeError: whether the disk is full was read of it. */
import { expect, test } from 'vitest';
import { UserError } from '../packages/core/src/errors.ts';
import { asDiskError } from '../packages/core/src/trainer/diskError.ts';

test('a refusal without a cause stays what it is', () => {
  const refusal = new UserError({ what: 'the adapter cannot be used', where: 'adapter', code: 'adapter_invalid' });
  expect(asDiskError(refusal, 'checkpoint-1')).toBe(refusal);
});

test('a full disk below a refusal is still named', () => {
  const cause = Object.assign(new Error('write'), { code: 'ENOSPC' });
  const refusal = new UserError({ what: 'cannot be written', where: 'adapter', code: 'file_not_writable', cause });
  expect(asDiskError(refusal, 'checkpoint-1')).toMatchObject({ code: 'disk_full' });
});
