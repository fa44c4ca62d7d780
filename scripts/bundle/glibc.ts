import { readFileSync } from 'node:fs';

/** The lowest glibc that has every symbol these ELF files ask for, such as '2.28'. */
export function neededGlibc(paths: readonly string[]): string {
  const minors = paths.flatMap((path) =>
    [...readFileSync(path, 'latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)),
  );
  if (minors.length === 0) throw new Error(`none of ${paths.join(', ')} asks for glibc`);
  return `2.${minors.reduce((most, minor) => Math.max(most, minor))}`;
}
