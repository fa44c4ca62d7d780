/** What a look at the machine says has the same numbers and names in each language. */
import { type CheckCode, type CheckTexts, checkTexts } from '@anneal/core/protocol/checks';
import { expect, test } from 'vitest';
import { checks } from './zhCN/checks.ts';

const everything = {
  name: 'NVIDIA H100',
  memory: '85.0 GB',
  capability: '9.0',
  driver: '580.95.05',
  cuda: 13,
  version: 'v24.1',
  system: 'linux x64',
  model: 'EPYC',
  threads: 17,
  isa: 'amx',
  free: '4 GB',
  total: '25 GB',
  path: '/some/where',
  error: 'EACCES',
  targets: '90a-real',
  gpus: 3,
  oldest: 580,
  text: 'word for word',
  architecture: 'riscv64',
  target: '100-real',
};

/** The values that it asks for. */
function asked(code: CheckCode): string[] {
  const seen: string[] = [];
  const watched = new Proxy(everything, {
    get: (values, name) => {
      seen.push(String(name));
      return values[name as keyof typeof values];
    },
  });
  (checkTexts[code] as (values: unknown) => string)(watched);
  return seen;
}

const say = (texts: CheckTexts, code: CheckCode) => (texts[code] as (values: unknown) => string)(everything);

test.each(Object.keys(checkTexts) as CheckCode[])('%s', (code) => {
  const values = asked(code).map((name) => String(everything[name as keyof typeof everything]));
  for (const text of [say(checkTexts, code), say(checks, code)])
    for (const value of values) expect(text).toContain(value);
  const isItself = ['node', 'writable', 'library', 'words', 'cuda_error'].includes(code);
  if (!isItself) expect(say(checks, code)).toMatch(/\p{Script=Han}/u);
});
