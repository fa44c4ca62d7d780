import type { Alert } from '@anneal/core/protocol/alerts';
import { formatTime } from '../units.ts';
import { colors } from './colors.ts';
import { print, printHint } from './print.ts';

/** Each with what to do, and those that somebody has looked at with who that was. */
export function printAlerts({ alerts }: { alerts: readonly Alert[] }): void {
  for (const { what, next, acknowledged } of alerts) {
    if (acknowledged) {
      print(colors.dim(`seen   ${what} (${acknowledged.by}, ${formatTime(acknowledged.time)})`));
    } else {
      print(`${colors.yellow('alert')}  ${what}`);
      printHint(`       ${next}`);
    }
  }
}
