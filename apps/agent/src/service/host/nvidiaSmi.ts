/** What nvidia-smi says of the GPUs of this machine and of who uses them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { childEnvironment } from '@anneal/core/childEnvironment';
import type { GpuSample } from '@anneal/core/protocol/host';

const run = promisify(execFile);
const patienceMilliseconds = 5000;

/** A GPU as CUDA sees it. */
export interface SeenGpu {
  /** As recipes call it. */
  readonly name: string;
  readonly title: string;
  readonly busId: string;
}

/** By number; undefined where there is no nvidia-smi, or it does not answer. */
export async function sampleGpus(seen: readonly SeenGpu[]): Promise<GpuSample[] | undefined> {
  try {
    const [gpus, processes] = await Promise.all([
      ask('--query-gpu=index,uuid,memory.used,memory.total,utilization.gpu,temperature.gpu,power.draw,pci.bus_id,name'),
      ask('--query-compute-apps=gpu_uuid,pid,used_memory,process_name'),
    ]);
    return parseGpus(gpus, processes, seen);
  } catch {
    return undefined;
  }
}

async function ask(query: string): Promise<string> {
  const options = { timeout: patienceMilliseconds, maxBuffer: 1 << 22, env: childEnvironment() };
  return (await run('nvidia-smi', [query, '--format=csv,noheader,nounits'], options)).stdout;
}

/** Lines of the two questions. CUDA may count in another order, and not see all; a part of a GPU (MIG) has another title. What a driver may not tell stands there as `[N/A]`. */
export function parseGpus(gpus: string, processes: string, seen: readonly SeenGpu[]): GpuSample[] {
  const holders = linesOf(processes).map((line) => {
    const [uuid, pid, memory, ...name] = cellsOf(line);
    return { uuid, process: { pid: Number(pid), name: name.join(', '), bytes: mebibytes(memory) } };
  });
  return linesOf(gpus).map((line) => {
    const [index, uuid, used, total, utilization, temperature, power, busId, ...words] = cellsOf(line);
    const name = words.join(', ');
    return {
      index: Number(index),
      device: seen.find((gpu) => gpu.busId === busId && gpu.title === name)?.name ?? null,
      name,
      memory: { used: mebibytes(used) ?? 0, total: mebibytes(total) ?? 0 },
      utilization: percent(utilization),
      celsius: number(temperature),
      watts: number(power),
      processes: holders
        .filter((holder) => holder.uuid === uuid)
        .map(({ process }) => process)
        .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0)),
    };
  });
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.includes(','));
const cellsOf = (line: string): string[] => line.split(',').map((cell) => cell.trim());

function number(cell: string | undefined): number | null {
  const value = Number(cell);
  return cell === undefined || cell === '' || Number.isNaN(value) ? null : value;
}

function mebibytes(cell: string | undefined): number | null {
  const value = number(cell);
  return value === null ? null : value * 2 ** 20;
}

function percent(cell: string | undefined): number | null {
  const value = number(cell);
  return value === null ? null : value / 100;
}
