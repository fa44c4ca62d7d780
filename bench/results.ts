import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Writes bench/results/NAME.json: the machine, the commit and what was measured. On a host that has a bundle and no checkout,
 * ANNEAL_COMMIT names the commit. @param to another path @returns the path
 */
export function writeResults(name: string, measured: Readonly<Record<string, unknown>>, to?: string): string {
  const machine = {
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    loadAverage: Math.round(loadavg()[0] ?? 0),
    kernel: release(),
    node: process.version,
  };
  const commit =
    process.env['ANNEAL_COMMIT'] ?? execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const path = to ?? join(import.meta.dirname, 'results', `${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ machine, commit, ...measured }, null, 2)}\n`);
  return path;
}
