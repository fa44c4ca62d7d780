/** Completion scripts made from the command tree: static, so that pressing Tab starts nothing. */
import type { Command } from 'commander';
import { bash } from './bash.ts';
import { fish } from './fish.ts';
import { placesOf } from './places.ts';
import { zsh } from './zsh.ts';

const writers = { bash, zsh, fish };

export function completionScript(shell: keyof typeof writers, program: Command): string {
  return writers[shell](placesOf(program));
}
