/** The unit by which systemd keeps an agent running: `anneal serve --systemd`. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { userName } from '../userName.ts';

/** What decides where an agent finds its files and CUDA's libraries, and how its texts call it. */
const kept = [
  'ANNEAL_CACHE',
  'ANNEAL_CALLED_AS',
  'XDG_DATA_HOME',
  'XDG_CACHE_HOME',
  'ANNEAL_CUDA_LIBRARIES',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CUDA_HOME',
  'CUDA_PATH',
];

/**
 * @param program Node with its options and our script
 * @param args of `anneal serve`, without `--systemd`
 */
export function systemdUnit(
  program: readonly string[],
  { folder, args, environment }: { folder: string; args: readonly string[]; environment: NodeJS.ProcessEnv },
): string {
  const lent = kept.flatMap((name) => {
    const value = environment[name];
    return value ? [`Environment=${word(`${name}=${value}`, { dollars: false })}\n`] : [];
  });
  return `[Unit]
Description=Anneal
After=network-online.target
Wants=network-online.target

[Service]
User=${userName() ?? process.getuid?.()}
WorkingDirectory=${path(folder)}
${lent.join('')}ExecStart=${[...program, 'serve', folder, ...args].map((part) => word(part, { dollars: true })).join(' ')}
Restart=on-failure
# Runs are processes of their own, which go on without the agent: end the agent alone.
KillMode=process
NoNewPrivileges=yes
ProtectSystem=full

[Install]
WantedBy=multi-user.target
`;
}

/** The program that runs, and the options that it was given, with the paths among them absolute. */
export function unitOfThis(folder: string, options: readonly (readonly [name: string, value: string])[]): string {
  const script = realpathSync(process.argv[1] ?? '');
  const args = options.flatMap(([name, value]) => [`--${name}`, value]);
  return systemdUnit([process.execPath, ...process.execArgv, script], {
    folder: resolve(folder),
    args,
    environment: process.env,
  });
}

/** As systemd splits a line: `%` begins what it fills in, `$` a variable where it runs a command. */
function word(text: string, { dollars }: { dollars: boolean }): string {
  const plain = text.replaceAll('%', '%%');
  const filled = dollars ? plain.replaceAll('$', '$$$$') : plain;
  return /^[\w./@:+=,$%-]+$/.test(filled) ? line(filled) : `"${line(filled).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A path that is the rest of its line. */
function path(text: string): string {
  return line(text.replaceAll('%', '%%'));
}

function line(text: string): string {
  if (!/\p{Cc}/u.test(text)) return text;
  throw new UserError({
    what: 'a control character cannot stand in a unit of systemd',
    where: JSON.stringify(text),
    next: 'serve a folder, and give files, without one in their names',
    code: 'wrong_usage',
  });
}
