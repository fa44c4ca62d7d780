/** A page that came without TLS could ask an agent that has TLS, where both had the usual ports of one host: only names and ports were compared. */
import { expect, it } from 'vitest';
import { RequestCheck } from '../apps/agent/src/daemon/requestCheck.ts';

const ask = (secure: boolean, origin: string, host: string) =>
  new RequestCheck(['gpu.lab'], { secure }).refusal({ headers: { origin, host }, headersDistinct: { host: [host] } });

it.each([
  ['https://gpu.lab', 'gpu.lab', true],
  ['https://gpu.lab', 'gpu.lab:443', true],
  ['https://gpu.lab:7420', 'gpu.lab:7420', true],
  ['http://gpu.lab', 'gpu.lab', false],
  ['http://gpu.lab:7420', 'gpu.lab:7420', false],
  ['https://gpu.lab:7420', 'gpu.lab', false],
])('with TLS: a page of %s at %s', (origin, host, isAllowed) => {
  const refusal = ask(true, origin, host);
  if (isAllowed) expect(refusal).toBeUndefined();
  else expect(refusal).toContain('may ask, over https');
});

it.each([
  ['http://gpu.lab', 'gpu.lab', true],
  ['http://gpu.lab', 'gpu.lab:80', true],
  ['https://gpu.lab', 'gpu.lab', true], // a proxy before it speaks TLS
  ['https://gpu.lab', 'gpu.lab:443', true],
  ['http://gpu.lab', 'gpu.lab:443', false],
  ['ftp://gpu.lab', 'gpu.lab', false],
  ['null', 'gpu.lab', false],
])('without TLS: a page of %s at %s', (origin, host, isAllowed) => {
  expect(ask(false, origin, host) === undefined).toBe(isAllowed);
});

it('a request with two Hosts is refused: a proxy may go by the other one', () => {
  const check = new RequestCheck([], { secure: false });
  const headers = { host: 'localhost' };
  expect(check.refusal({ headers, headersDistinct: { host: ['localhost'] } })).toBeUndefined();
  expect(check.refusal({ headers, headersDistinct: { host: ['localhost', 'evil'] } })).toBe(
    'it has more than one Host',
  );
});
