import { expect, test } from 'vitest';
import { startHub } from '../testing/hubStandIn.ts';
import { asPushError } from './pushErrors.ts';
import { pushFiles } from './pushFiles.ts';

const NAME = 'you/harbor';
const TOKEN = 'hf_writes0123456789';
const denied = () =>
  Object.assign(new Error("EACCES: permission denied, open '/x/weights'"), {
    code: 'EACCES',
    syscall: 'open',
    path: '/x/weights',
  });

test.each([
  ['itself', denied()],
  ['as what a request broke off for', new TypeError('fetch failed', { cause: denied() })],
])('a file that cannot be read, %s, says which', (_, error) => {
  expect(asPushError(error, NAME, TOKEN, undefined)).toMatchObject({
    code: 'file_not_readable',
    where: '/x/weights',
    what: expect.stringContaining('(EACCES)'),
  });
});

test('a connection that breaks is none', () => {
  const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
  const error = new TypeError('fetch failed', { cause: broken });
  expect(asPushError(error, NAME, TOKEN, undefined)).toMatchObject({ code: 'push_broken_off' });
});

test('whoever cancels gets what they cancelled with', () => {
  const given = AbortSignal.abort(new Error('enough'));
  expect(() => asPushError(denied(), NAME, TOKEN, given)).toThrow('enough');
});

test('a disk that fails while a file is hashed is an error before the hub is asked', async () => {
  const hub = await startHub('some/model', {});
  try {
    // A file that says that it is one, and cannot be read at its beginning.
    const pushing = pushFiles([{ name: 'weights', path: '/proc/self/mem' }], NAME, {
      hubUrl: hub.url,
      token: TOKEN,
      isPrivate: true,
      replace: false,
      title: 'harbor',
      card: () => '# harbor',
    });
    await expect(pushing).rejects.toMatchObject({ code: 'file_not_readable', what: expect.stringContaining('(EIO)') });
    expect(hub.requests).toEqual([]);
  } finally {
    await hub.close();
  }
});
