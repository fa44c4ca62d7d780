import { execFileSync } from 'node:child_process';
import { childEnvironment } from './childEnvironment.ts';

/** The lines that nvidia-smi answers, fields by commas and without units; undefined where it does not tell, or takes over five seconds. */
export function askNvidiaSmi(...query: string[]): string | undefined {
  try {
    return execFileSync('nvidia-smi', [...query, '--format=csv,noheader,nounits'], {
      encoding: 'utf8',
      timeout: 5000,
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}
