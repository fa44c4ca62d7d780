import { cpus } from 'node:os';
import type { Device } from '@anneal/kernels';
import type { Quantization } from '../models/nf4.ts';

/** One measured configuration, as it is kept in bench/results. */
export interface BenchRow {
  readonly suite: string;
  /** Model, or what was measured of it. */
  readonly shape: string;
  readonly device: string;
  readonly dtype: 'f32' | 'bf16';
  readonly quantization: Quantization;
  readonly activations: string;
  readonly rows: number;
  readonly sequenceLen: number;
  /** From the median step. */
  readonly tokensPerSecond: number;
  readonly msPerStep: number;
  /** (slowest - fastest) / median over the measured steps. */
  readonly spread: number;
  /** On the CPU the largest resident memory of the process so far; on a GPU the plan and what libraries take beside it. */
  readonly peakGb: number;
  readonly [more: string]: unknown;
}

export function deviceName(device: Device): string {
  if (device.kind === 'cuda') return device.name;
  const { isa, threads } = device;
  return `${cpus()[0]?.model.trim() ?? 'CPU'}, ${threads} threads, ${isa}`;
}

/** Median and spread of some durations. */
export function timing(milliseconds: readonly number[]): { median: number; spread: number } {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { median, spread: ((sorted.at(-1) as number) - (sorted[0] as number)) / median };
}

export function peakGigabytes(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e9;
}

export interface OpTime {
  readonly op: string;
  readonly msPerStep: number;
  readonly launches: number;
}

/** What an engine's profile of so many steps says of each. */
export function opTimes(
  profile: readonly { op: string; milliseconds: number; launches: number }[],
  steps: number,
): OpTime[] {
  return profile.map(({ op, milliseconds, launches }) => ({
    op,
    msPerStep: milliseconds / steps,
    launches: launches / steps,
  }));
}
