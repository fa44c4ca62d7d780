/**
 * `npm start`: the studio, with the starter project in place. `npm start -- <folder> --port 0` serves another folder, with
 * the options of `anneal serve`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beginProject } from '../apps/agent/src/service/recipes/init.ts';

const [first, ...rest] = process.argv.slice(2);
const isNamed = first !== undefined && !first.startsWith('-');
const folder = isNamed ? first : 'projects';
const options = isNamed ? rest : process.argv.slice(2);

const isAsking = options.some((option) => option === '--help' || option === '-h');
if (!isAsking && (!existsSync(folder) || readdirSync(folder).length === 0))
  await beginProject({}, { folder: join(folder, 'starter') });

process.argv.splice(2, Number.POSITIVE_INFINITY, 'serve', folder, ...options);
await import('../apps/agent/src/main.ts');
