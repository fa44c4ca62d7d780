import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export type Row = Record<string, unknown>;

/** A file of rows that were measured on the GPU of this host, written after every row: what is cut off keeps what it measured. */
export class GpuResults {
  readonly #path: string;
  readonly #machine: Row;
  readonly #rows: Row[];

  /** @throws where there is no GPU, or the file holds rows of another one */
  constructor(path: string) {
    const gpu = queryGpu('name,driver_version,memory.total');
    this.#machine = {
      gpu: gpu[0],
      driver: gpu[1],
      gpuMemory: gpu[2],
      processor: cpus()[0]?.model.trim(),
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1e9),
      kernel: release(),
    };
    const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { machine: Row; rows: Row[] }) : null;
    if (kept && kept.machine['gpu'] !== gpu[0]) throw new Error(`${path} holds rows of ${String(kept.machine['gpu'])}`);
    this.#path = path;
    this.#rows = kept?.rows ?? [];
  }

  get gpu(): string {
    return this.#machine['gpu'] as string;
  }

  add(row: Row): void {
    this.#rows.push(row);
    writeFileSync(this.#path, `${JSON.stringify({ machine: this.#machine, rows: this.#rows }, null, 2)}\n`);
  }
}

function queryGpu(fields: string): string[] {
  const { stdout } = spawnSync('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader'], { encoding: 'utf8' });
  if (!stdout) throw new Error('nvidia-smi says nothing: is there an NVIDIA GPU with its driver?');
  return (stdout.split('\n')[0] as string).split(',').map((field) => field.trim());
}
