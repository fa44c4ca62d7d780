import { expect, test } from 'vitest';
import { Variables } from './variables.ts';

function declared(rows: readonly number[], columns = 256) {
  const variables = new Variables();
  const members = rows.map((count, i) =>
    variables.get(`w${i}`, { shape: [count, columns], dtype: 'f32', kind: 'parameter' }),
  );
  return { variables, members };
}

function offsetsOf(variables: Variables): Map<string, number> {
  return new Map(
    variables.places({}).flatMap(({ tensors }) => tensors.map(({ tensor, offset }) => [tensor.name, offset])),
  );
}

test('a stack has the rows of its members in their order, and so have its gradient and its copy', () => {
  const { variables, members } = declared([2, 3, 1]);
  const stack = variables.stack('all', members);
  expect(stack.shape).toEqual([6, 256]);
  expect(variables.gradientOf(stack).shape).toEqual([6, 256]);
  expect(variables.copyOf(stack).dtype).toBe('bf16');
  const offsets = offsetsOf(variables);
  expect(['all', 'w0', 'w1', 'w2'].map((name) => offsets.get(name))).toEqual([0, 0, 2048, 5120]);
  expect(['gradient/all', 'gradient/w1'].map((name) => offsets.get(name))).toEqual([0, 2048]);
  expect(['copy/all', 'copy/w1'].map((name) => offsets.get(name))).toEqual([0, 1024]);
});

test('a group holds stacks where their members are', () => {
  const { variables, members } = declared([1, 2, 3, 4]);
  variables.stack('later', members.slice(1, 3));
  variables.group('all', members);
  const offsets = offsetsOf(variables);
  expect(['later', 'w1', 'w2'].map((name) => offsets.get(name))).toEqual([1024, 1024, 3072]);
  expect(members.map((member) => variables.continuesStack(member))).toEqual([false, false, true, false]);
});

test('a group with the members of a stack in another order, or apart, is refused', () => {
  for (const order of [
    [1, 0, 2],
    [0, 2, 1],
  ]) {
    const { variables, members } = declared([1, 2, 3]);
    variables.stack('first', members.slice(0, 2));
    variables.group(
      'all',
      order.map((i) => members[i] as (typeof members)[number]),
    );
    expect(() => variables.places({})).toThrow('holds first in another order');
  }
});

test('matrices that do not end at the place where the next one begins are no stack', () => {
  const { variables, members } = declared([1, 2], 128);
  expect(Variables.canStack(members)).toBe(false);
  expect(() => variables.stack('both', members)).toThrow('do not lie beside each other');
  expect(Variables.canStack(members.toReversed())).toBe(true);
});

test('frozen weights of any size are a stack, without gaps', () => {
  const variables = new Variables();
  const members = [3, 1].map((count, i) => variables.get(`w${i}`, { shape: [count], dtype: 'f32', kind: 'weight' }));
  variables.stack('both', members);
  expect([...offsetsOf(variables)]).toEqual([
    ['both', 0],
    ['w0', 0],
    ['w1', 12],
  ]);
});
