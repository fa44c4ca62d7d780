import type { RunView } from '@anneal/core/trainer/runReader';
import { colors } from './colors.ts';

export function colorState(state: RunView['state'] | 'damaged' | 'queued'): string {
  switch (state) {
    case 'finished':
      return colors.green(state);
    case 'failed':
    case 'interrupted':
    case 'damaged':
      return colors.red(state);
    case 'running':
    case 'preparing':
      return colors.cyan(state);
    case 'created':
    case 'queued':
    case 'stopped':
      return colors.yellow(state);
  }
}
