import { expect, test } from 'vitest';
import { parseGpus } from './nvidiaSmi.ts';

test('GPUs come with who uses them, also where a driver does not tell everything', () => {
  const gpus = [
    '0, GPU-aa, 70123, 81559, 97, 63, 512.31, 00000000:C1:00.0, NVIDIA H100 80GB HBM3',
    '1, GPU-bb, 4, 81559, 0, 31, [N/A], 00000000:41:00.0, NVIDIA H100 80GB HBM3',
    '',
  ].join('\n');
  const processes = ['GPU-aa, 1234, 1024, python', 'GPU-aa, 99, 69000, /opt/tools, a/node', 'GPU-cc, 7, [N/A], x'].join(
    '\n',
  );
  expect(parseGpus(gpus, processes, [])).toEqual([
    {
      index: 0,
      device: null,
      name: 'NVIDIA H100 80GB HBM3',
      memory: { used: 70123 * 2 ** 20, total: 81559 * 2 ** 20 },
      utilization: 0.97,
      celsius: 63,
      watts: 512.31,
      processes: [
        { pid: 99, name: '/opt/tools, a/node', bytes: 69000 * 2 ** 20 },
        { pid: 1234, name: 'python', bytes: 2 ** 30 },
      ],
    },
    expect.objectContaining({ index: 1, utilization: 0, watts: null, processes: [] }),
  ]);
  expect(
    parseGpus('0, GPU-aa, [N/A], 16000, [Not Supported], 40, [N/A], 00000000:01:00.0, GRID', 'GPU-aa, 5, [N/A], y', []),
  ).toMatchObject([{ memory: { used: 0 }, utilization: null, processes: [{ pid: 5, bytes: null }] }]);
  expect(parseGpus('', '', [])).toEqual([]);
});

test('GPUs are those of CUDA by their place on the bus: it may count otherwise, and not see all', () => {
  const gpus = ['C1', '41', '81'].map(
    (bus, index) => `${index}, GPU-${index}, 1, 9, 0, 31, 70, 00000000:${bus}:00.0, H200`,
  );
  const seen = [
    { name: 'cuda:0', title: 'H200', busId: '00000000:41:00.0' },
    { name: 'cuda:1', title: 'H200 MIG 1g.18gb', busId: '00000000:81:00.0' },
  ];
  expect(parseGpus(gpus.join('\n'), '', seen).map(({ device }) => device)).toEqual([null, 'cuda:0', null]);
});
