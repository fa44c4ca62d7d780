// npm's `postinstall`: removes 130 MB that packages bring along for other platforms and for building against Node.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockHash, root, stampPath } from './installStamp.mjs';

const modules = join(root, 'node_modules');
const platform = `${process.platform}-${process.arch}`;

// The addon is built with the headers of `node-api-headers`.
for (const folder of listed(join(modules, 'node', 'node_modules'))) {
  if (folder.startsWith('node-'))
    rmSync(join(modules, 'node', 'node_modules', folder, 'include'), { recursive: true, force: true });
}
for (const file of listed(join(modules, 'tokenizers'))) {
  const built = /^tokenizers\.(.+)\.node$/.exec(file)?.[1];
  const ours = built?.startsWith(platform) || (process.platform === 'darwin' && built === 'darwin-universal');
  if (built !== undefined && !ours) rmSync(join(modules, 'tokenizers', file));
}
writeFileSync(stampPath, lockHash());

function listed(folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
