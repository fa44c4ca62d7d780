/** Copies of a reference folder in which one thing is wrong. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Header {
  readonly [tensor: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** Where a tensor's elements lie in a safetensors file; all that is tampered with has 4 bytes each. */
export interface TensorPlace {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly elements: number;
}

export function tensorsOf(path: string): TensorPlace[] {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Header;
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [start, end],
        },
      ]) => {
        return { name, dtype, shape, start: 8 + headerLength + start, elements: (end - start) / 4 };
      },
    );
}

/** Runs `use` on a copy of `folder` in which `file` went through `change`. */
export async function withChanged<T>(
  folder: string,
  copy: string,
  file: string,
  change: (bytes: Buffer) => Buffer | void,
  use: (copy: string) => Promise<T>,
): Promise<T> {
  cpSync(folder, copy, { recursive: true });
  try {
    const bytes = readFileSync(join(copy, file));
    writeFileSync(join(copy, file), change(bytes) ?? bytes);
    return await use(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Makes the value that is largest by amount 1 % larger, and says where it is. */
export function enlargeLargest(bytes: Buffer, { start, elements }: TensorPlace): number {
  let largest = 0;
  const at = (element: number) => bytes.readFloatLE(start + 4 * element);
  for (let i = 1; i < elements; i++) if (Math.abs(at(i)) > Math.abs(at(largest))) largest = i;
  bytes.writeFloatLE(at(largest) * 1.01, start + 4 * largest);
  return largest;
}
