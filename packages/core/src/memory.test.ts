import { compile, cpuDevice, embedding, Graph, Variables } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { allocateEngine, memoryBudget, outOfMemory } from './memory.ts';

const device = cpuDevice({ threads: 1 });
const graph = new Graph('program', new Variables());
const table = graph.variables.get('table', { shape: [1000, 1000], dtype: 'f32', kind: 'weight' });
graph.result('rows', embedding(graph.input('tokens', 'i32', ['T']), table));
const bounds = { T: 1, S: 1, N: 1 };
const plan = compile([graph], { bounds, activations: 'keep', device });
const need = { what: 'the model', where: 'here', next: 'take a smaller one' };

test('an engine gets the memory that is there', async () => {
  expect(plan.memory.total).toBeLessThan(memoryBudget(device));
  await allocateEngine(plan, device, need, plan.memory.total).dispose();
});

test('one that needs more is refused, with what it is for', () => {
  expect(() => allocateEngine(plan, device, need, plan.memory.total - 1)).toThrow(
    expect.objectContaining({
      code: 'out_of_memory',
      what: 'the model does not fit: it needs 6.101 MB of memory, 6.101 MB are free',
      where: 'here',
      next: 'take a smaller one',
    }),
  );
});

test('who holds the memory of a GPU is said', () => {
  const holders = [{ pid: 42, name: 'python3', bytes: 60e9 }];
  expect(outOfMemory(need, 20e9, 19.5e9, holders).what).toBe(
    'the model does not fit: it needs 20.00 GB of memory, 19.50 GB are free; GPU memory is held by python3 (pid 42) 60.0 GB',
  );
});
