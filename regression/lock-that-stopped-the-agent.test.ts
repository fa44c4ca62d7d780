/** While another process held the lock of a file, the agent waited for it without doing anything else, for up to three seconds. */
import { join } from 'node:path';
import { ProcessLock } from '@anneal/core/processLock';
import { expect, test } from 'vitest';
import { Access } from '../apps/agent/src/daemon/auth/access.ts';
import { underLock } from '../apps/agent/src/service/underLock.ts';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

test('others go on while a change waits for the lock, and the change is made when it is free', async () => {
  const path = join(temporaryFolder(), 'queue.json');
  const lock = ProcessLock.tryAcquire(`${path}.lock`);
  const done: string[] = [];
  const changing = underLock(path, () => done.push('change'));
  await new Promise<void>((resolve) => setTimeout(resolve, 30));
  done.push('others');
  lock?.release();
  await changing;
  expect(done).toEqual(['others', 'change']);
});

test('wrong codes that come at the same time are counted, all of them', async () => {
  const access = new Access(temporaryFolder());
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => access.pair('0000-0000')));
  const codes = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.code : 'paired'));
  expect(codes.filter((code) => code === 'pairing_code_wrong')).toHaveLength(10);
  expect(codes.filter((code) => code === 'too_many_attempts')).toHaveLength(10);
});
