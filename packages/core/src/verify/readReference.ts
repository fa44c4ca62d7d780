import { RandomAccessFile, readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';

/** A JSON file of reference values, whose form is taken on trust: `Golden` is what our tool writes there. @throws UserError */
export function readReference<Golden>(path: string): Golden {
  return parseJsonObject(readSmallFile(path, LIMITS.tokenizerBytes), path) as unknown as Golden;
}

/** How a file begins. @throws UserError */
export function headOf(path: string, bytes: number): string {
  const file = new RandomAccessFile(path);
  try {
    return Buffer.from(file.read(0, Math.min(bytes, file.size))).toString();
  } finally {
    file.close();
  }
}
