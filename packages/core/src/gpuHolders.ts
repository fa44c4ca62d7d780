import { askNvidiaSmi } from './askNvidiaSmi.ts';

/** A process that holds memory of a GPU. */
export interface GpuHolder {
  readonly pid: number;
  readonly name: string;
  readonly bytes: number;
}

/** The processes other than this one that hold memory of a GPU; none where nvidia-smi does not tell. @param busId of the PCI bus */
export function gpuHolders(busId: string): GpuHolder[] {
  const lines = askNvidiaSmi(`--id=${busId}`, '--query-compute-apps=pid,used_memory,process_name') ?? '';
  return parseHolders(lines).filter(({ pid }) => pid !== process.pid);
}

/** Lines of `pid, MiB, name`, the one with most memory first. A driver that may not tell the memory says `[N/A]`. */
export function parseHolders(lines: string): GpuHolder[] {
  const holders = lines.split('\n').flatMap((line) => {
    const [, pid, mebibytes, name] = /^\s*(\d+),\s*(\d+),\s*(.+?)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [{ pid: Number(pid), name, bytes: Number(mebibytes) * 2 ** 20 }];
  });
  return holders.sort((a, b) => b.bytes - a.bytes);
}
