/** What an agent lets a recipe ask, read and write: whoever may start it could otherwise reach inner hosts, and keys of the agent. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { EndpointOptions, SynthesisOptions } from '@anneal/core/synthesis/options';
import type { AllowedEndpoint, AllowedSynthesis } from '../context.ts';

/** How far down an agent looks for data files. */
const mostFolders = 3;

/** @throws UserError `endpoint_not_configured`, `api_key_of_agent`, `source_outside`, `output_outside` */
export function allowedKeys(
  { endpoint, judge, sources, output }: SynthesisOptions,
  allowed: AllowedSynthesis,
): { rows: string | null; judge: string | null } {
  for (const { path, name } of sources) {
    if (isInside(allowed.folder, path)) continue;
    throw new UserError({
      what: 'this source does not lie in the folder that the agent serves',
      where: name,
      next: 'name a document, a data file or a folder below it: no hidden one, none behind a link that leads elsewhere',
      code: 'source_outside',
    });
  }
  const way = relative(allowed.folder, output).split(sep);
  if (!isInside(allowed.folder, output) || way.length - 1 > mostFolders || way.includes('runs')) {
    throw new UserError({
      what: 'the rows would not lie where the agent looks for data files',
      where: relative(allowed.folder, output),
      next: `name an output below the folder that it serves, at most ${mostFolders} folders down, in none called runs`,
      code: 'output_outside',
    });
  }
  return {
    rows: keyFor(endpoint, 'endpoint', allowed.endpoints),
    judge: judge && keyFor(judge.endpoint, 'judge', allowed.endpoints),
  };
}

/** @param part of the recipe @throws UserError `endpoint_not_configured`, `api_key_of_agent` */
export function keyFor(
  { url, apiKeyVariable }: EndpointOptions,
  part: string,
  endpoints: readonly AllowedEndpoint[],
): string | null {
  if (apiKeyVariable !== null) {
    throw new UserError({
      what: 'a recipe that an agent follows cannot name a variable of its environment',
      where: `${part}.api_key_env`,
      next: 'remove it, or set it to null: the agent sends the key that its admin has kept for this address',
      code: 'api_key_of_agent',
    });
  }
  const found = endpoints.find((one) => one.url === url);
  if (found) return found.apiKey;
  throw new UserError({
    what: 'this agent may not ask this address',
    where: `${part}.url: ${url}`,
    next: `write one of ${endpoints.map((one) => `${one.url} (${one.name})`).join(', ')}; an admin adds others in the settings, or by \`anneal endpoints set\``,
    code: 'endpoint_not_configured',
  });
}

/** Wherever links lead; nothing of it is hidden. What is still to be made lies where its folder does. */
function isInside(folder: string, path: string): boolean {
  let there = path;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const way = relative(realpathSync(folder), join(realpathSync(there), relative(there, path)));
  if (way === '') return true;
  return !isAbsolute(way) && !way.split(sep).some((name) => name.startsWith('.') || name === 'node_modules');
}
