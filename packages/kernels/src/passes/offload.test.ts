import { describe, expect, test } from 'vitest';
import { type MiniModelOptions, miniBatch, miniModel } from '../../test/miniModel.ts';
import { hostBase } from '../addresses.ts';
import { type CpuDevice, cpuDevice } from '../device.ts';
import type { Plan } from '../plan.ts';
import type { Launch, PlannedProgram } from '../planProgram.ts';
import { byteLength, type Tensor } from '../tensor.ts';

const cpu = cpuDevice({ threads: 1 });
/** A processor that plans as a GPU does whose host is so fast. Copies are made at once there. */
function deviceWith(hostBytesPerSecond: number): CpuDevice {
  return { ...cpu, rates: { ...cpu.rates, hostBytesPerSecond } };
}
const usual: MiniModelOptions = { layers: 4, lora: true, tied: false, dropout: 0.1, bounds: { T: 12, S: 4 } };
const batches = [miniBatch([4, 1, 7], 1 / 20), miniBatch([2, 3], 1 / 20)];

function trainOf({ programs }: Plan): PlannedProgram {
  return programs.find(({ name }) => name === 'train') as PlannedProgram;
}

const opOf = (launch: Launch): string => launch.node.op.name;
const copiesOf = (plan: Plan): Launch[] => trainOf(plan).launches.filter((launch) => opOf(launch) === 'async_copy');

type Range = readonly [start: number, end: number];

function overlap(a: Range, b: Range): boolean {
  return a[0] < b[1] && b[0] < a[1];
}

/** Bytes that launches touch while a copy may be reading or writing them. Copies keep their order among each other. */
function races(plan: Plan, untilOf = (awaited: number) => awaited): string[] {
  const { launches } = trainOf(plan);
  const rangeOf = ({ offsets }: Launch, tensor: Tensor): Range => {
    const start = offsets.get(tensor) as number;
    return [start, start + byteLength(tensor, plan.bounds)];
  };
  return launches.flatMap((copy, from) => {
    if (opOf(copy) !== 'async_copy') return [];
    const { ticket } = copy.node.attributes;
    const awaited = launches.findIndex((one) => opOf(one) === 'await_copy' && one.node.attributes['ticket'] === ticket);
    expect(awaited, 'every copy is waited for').toBeGreaterThan(from);
    const [source, target] = [copy.node.inputs['x'], copy.node.outputs['y']].map((t) => rangeOf(copy, t as Tensor));
    return launches.slice(from + 1, untilOf(awaited)).flatMap((launch) => {
      if (opOf(launch) === 'async_copy' || opOf(launch) === 'await_copy') return [];
      const reads = Object.values(launch.node.inputs).flatMap((t) => (t ? [rangeOf(launch, t)] : []));
      const { workspaceOffset, workspaceBytes } = launch;
      const writes = [
        ...Object.values(launch.node.outputs).map((t) => rangeOf(launch, t)),
        [workspaceOffset, workspaceOffset + workspaceBytes] as const,
      ];
      const bad =
        writes.some((range) => overlap(range, source as Range) || overlap(range, target as Range)) ||
        reads.some((range) => overlap(range, target as Range));
      return bad ? [`${launch.node.op.name} during copy ${ticket}`] : [];
    });
  });
}

describe.each([
  ['a bus as fast as memory', 1e12],
  ['a usual bus', 1e9],
  ['a slow bus', 1e6],
])('with %s', (_, rate) => {
  const device = deviceWith(rate);

  test.each<[string, MiniModelOptions]>([
    ['LoRA', usual],
    ['full fine-tuning', { ...usual, lora: false, tied: true }],
  ])('%s has the bits of keep', async (_name, options) => {
    const p = miniModel(options);
    const expected = await p.step(p.compile({ activations: 'keep' }, cpu), batches, cpu);
    const plan = p.compile({ activations: 'offload' }, device);
    expect(await p.step(plan, batches, device)).toEqual(expected);
  });

  test('no launch touches what a copy works on', () => {
    for (const tileRows of [null, 5]) {
      const plan = miniModel(usual).compile({ activations: 'offload' }, { ...device, tileRows });
      expect(races(plan)).toEqual([]);
      if (copiesOf(plan).length > 0) expect(races(plan, () => Number.POSITIVE_INFINITY)).not.toEqual([]);
    }
  });
});

test('what enters a layer goes to the host and comes back', () => {
  const plan = miniModel(usual).compile({ activations: 'offload' }, deviceWith(1e12));
  const entering = plan.savings.filter(({ what }) => what === 'what enters a layer');
  expect(entering.map(({ layer }) => layer)).toEqual([1, 2, 3]); // nothing before layer 0 is trained
  const places = copiesOf(plan).map(({ node, offsets }) => {
    const [from, to] = [node.inputs['x'], node.outputs['y']].map(
      (t) => (offsets.get(t as Tensor) as number) >= hostBase,
    );
    return `${from ? 'host' : 'device'} to ${to ? 'host' : 'device'}`;
  });
  const there = places.filter((place) => place === 'device to host').length;
  expect(there).toBeGreaterThanOrEqual(2); // that of the last layer is wanted at once
  expect(places.filter((place) => place === 'host to device')).toHaveLength(there);
  expect(places).toHaveLength(2 * there);
});

/** Whether products that may depend on it have taken over what they add to, by the names of their results. */
function inPlace(activations: 'keep' | 'recompute' | 'offload') {
  return trainOf(miniModel(usual).compile({ activations }, deviceWith(1e12))).launches.flatMap(({ node, offsets }) => {
    const [y] = Object.values(node.outputs);
    const c = node.inputs['c'];
    if (!node.op.inPlaceMatters || !y || !c) return [];
    return [[y.name.replace('.again', ''), offsets.get(c) === offsets.get(y)] as const];
  });
}

test('a product that may depend on it is in place under every policy or under none', () => {
  const kept = new Map(inPlace('keep'));
  expect(new Set(kept.values())).toEqual(new Set([true, false]));
  for (const policy of ['recompute', 'offload'] as const)
    for (const [name, isInPlace] of inPlace(policy)) expect(isInPlace, `${policy}: ${name}`).toBe(kept.get(name));
});

test('it takes less of the device than recompute, the more of the host', () => {
  const large: MiniModelOptions = { ...usual, layers: 8, bounds: { T: 512, S: 9 } };
  const device = deviceWith(1e12);
  const [recompute, offload] = (['recompute', 'offload'] as const).map((activations) =>
    miniModel(large).compile({ activations }, device),
  ) as [Plan, Plan];
  expect(offload.memory.activations).toBeLessThan(0.8 * recompute.memory.activations);
  expect(offload.memory.host).toBeGreaterThan(recompute.memory.host);
});

test('auto offloads before it forms products again, unless the host is full', () => {
  const p = miniModel({ ...usual, layers: 8, bounds: { T: 512, S: 9 } });
  const device = deviceWith(1e12);
  const auto = (hostBudget: number) => p.compile({ activations: 'auto', memoryBudget: 1, hostBudget }, device);
  const plentiful = auto(Number.POSITIVE_INFINITY).savings.map(({ how }) => how);
  expect(plentiful).toContain('offload');
  for (const share of [0, 0.3, 0.6]) {
    const budget = share * auto(Number.POSITIVE_INFINITY).memory.host;
    expect(auto(budget).memory.host).toBeLessThanOrEqual(budget);
  }
  expect(new Set(auto(0).savings.map(({ how }) => how))).toEqual(new Set(['recompute']));
});

test('there is nothing to offload where the memory is the host’s', () => {
  expect(() => miniModel(usual).compile({ activations: 'offload' }, cpu)).toThrow(
    'the memory of cpu is the host’s: there is nothing to offload',
  );
});
