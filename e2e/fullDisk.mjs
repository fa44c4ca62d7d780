/**
 * Loaded into an agent and its runs before anything else (`--import`): while `.disk-is-full` lies in the workspace of a TestAgent, every
 * write to a file below it fails as on a full disk. To make a real one takes root.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';

const workspace = dirname(process.env['XDG_DATA_HOME']);
const sign = join(workspace, '.disk-is-full');

/** @param {string | number} file a path or a descriptor */
function refuse(file) {
  if (!fs.existsSync(sign)) return;
  const path = typeof file === 'number' ? fs.readlinkSync(`/proc/self/fd/${file}`) : String(file);
  if (!path.startsWith(workspace)) return;
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
}

for (const name of ['writeSync', 'writevSync', 'writeFileSync', 'appendFileSync']) {
  const original = fs[name];
  fs[name] = (file, ...rest) => {
    refuse(file);
    return original(file, ...rest);
  };
}

for (const name of ['writeFile', 'appendFile']) {
  const original = fs.promises[name];
  fs.promises[name] = async (file, ...rest) => {
    if (typeof file === 'string') refuse(file);
    return original(file, ...rest);
  };
}

const { open } = fs.promises;
fs.promises.open = async (...given) => {
  const handle = await open(...given);
  for (const name of ['write', 'writev', 'writeFile', 'appendFile']) {
    const original = handle[name].bind(handle);
    handle[name] = async (...rest) => {
      refuse(handle.fd);
      return original(...rest);
    };
  }
  return handle;
};
syncBuiltinESMExports();
