/**
 * A hub's list of files that went on at an address other than one with `http://…` (relative, `file:`, with the parameters of the link
 * spelled otherwise) ended there without a word, and a model or data set came without the files of the other pages.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listFiles } from '@huggingface/hub';
import { expect, onTestFinished, test } from 'vitest';
import { boundedFetch, PATIENCE } from '../packages/core/src/hub/boundedFetch.ts';
import { nextPage } from '../packages/core/src/hub/nextPage.ts';

const BASE = 'https://hub.example/api/models/a/b/tree/main';

test.each([
  ['<https://hub.example/x?cursor=2>; rel="next"', 'https://hub.example/x?cursor=2'],
  ['<?cursor=2>; rel="next"', `${BASE}?cursor=2`],
  ['</api/x,y;z?cursor=2>;rel=next', 'https://hub.example/api/x,y;z?cursor=2'],
  ['<//other.example/x>; rel="next"', 'https://other.example/x'],
  [
    '<x>; title="a, <b>; rel=\\"next\\""; REL="last next" , <y>; rel="prev"',
    'https://hub.example/api/models/a/b/tree/x',
  ],
  ['<y>; rel="prev", <x>; rel="next"', 'https://hub.example/api/models/a/b/tree/x'],
  ['<https://elsewhere.example/token>; rel="xet-auth"', null],
  [null, null],
  ['', null],
])('%s goes on at %s', (header, expected) => {
  expect(nextPage(header, BASE)?.href ?? null).toBe(expected);
});

test.each([
  '<file:///etc/passwd>; rel="next"',
  '<data:,[]>; rel="next"',
  '<http://[>; rel="next"',
  'next=2',
  '<x; rel="next"',
])('%s is an error', (header) => {
  expect(() => nextPage(header, BASE)).toThrow(/no address of HTTP|cannot be read/);
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listed(answer: Answer): Promise<string[]> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const paths: string[] = [];
  const list = listFiles({ hubUrl, repo: 'a/b', fetch: boundedFetch(hubUrl, undefined, PATIENCE) });
  for await (const { path } of list) paths.push(path);
  return paths;
}

const page = (response: ServerResponse, names: readonly string[], link?: string) =>
  response
    .writeHead(200, { 'content-type': 'application/json', ...(link && { link }) })
    .end(JSON.stringify(names.map((path) => ({ type: 'file', path, size: 1, oid: '0' }))));

test('a list with relative links, and an empty page in between, is read to its end', async () => {
  const paths = await listed(({ url = '' }, response) => {
    if (url.includes('cursor=3')) page(response, ['c']);
    else if (url.includes('cursor=2')) page(response, [], '<?cursor=3>; rel=next');
    else page(response, ['a'], '<?cursor=2>; rel="next"');
  });
  expect(paths).toEqual(['a', 'c']);
});

test.each([
  ['<http://127.0.0.1:9/x>; rel="next"', /goes on at another address, http:\/\/127\.0\.0\.1:9/],
  ['<file:///etc/passwd>; rel="next"', /"file:\/\/\/etc\/passwd", which is no address of HTTP/],
  ['<?cursor=2>; rel="next"', /goes round in a circle/],
])('a list that goes on at %s is an error', async (link, message) => {
  await expect(listed((_, response) => void page(response, ['a'], link))).rejects.toThrow(message);
});
