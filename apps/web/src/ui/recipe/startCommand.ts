import { quoted } from '../quoted.ts';
import type { ChosenStart } from '../StartOptions.tsx';

/** What *Start* does, on the command line. @param anneal what is typed to call it */
export function startCommand(anneal: string, recipe: string, { device, priority }: ChosenStart): string {
  const parts = [
    `${anneal} train ${quoted(recipe)} --queue`,
    priority === 'normal' ? '' : `--priority ${priority}`,
    device === undefined ? '' : `--set ${quoted(`device=${device}`)}`,
  ];
  return parts.filter(Boolean).join(' ');
}
