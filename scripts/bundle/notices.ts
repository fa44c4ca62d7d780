/** The licenses of everything in the bundle, or in an installation, that others wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * @param folders of installed packages
 * @param cuda whether the addon was built with CUDA
 * Throws where one says neither in a file nor by name, nor in its README, what its license is.
 */
export function thirdPartyNotices(folders: readonly string[], { cuda }: { cuda: boolean }): string {
  const notices = folders.map((folder) => {
    const {
      name,
      version,
      license = licenseInReadme(folder),
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    if (files.length === 0 && !license) throw new Error(`${name} in ${basename(folder)} names no license`);
    const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...texts].join('\n\n');
  });
  const runtime =
    'The GNU C++ runtime (libstdc++, libgcc) is linked into agent/build/Release/anneal.node under the GCC Runtime Library Exception 3.1.';
  const cudart =
    'The CUDA runtime of NVIDIA (libcudart_static) is linked into agent/build/Release/anneal.node under the CUDA Toolkit End User License Agreement, which allows it (attachment A).';
  return [
    'Anneal holds, or works with, the following works of others.',
    ...notices,
    runtime,
    ...(cuda ? [cudart] : []),
  ].join(`\n\n${'─'.repeat(80)}\n\n`);
}

/** The line below the heading that says so. */
function licenseInReadme(folder: string): string | undefined {
  const readme = readdirSync(folder).find((file) => /^readme\b/i.test(file));
  if (readme === undefined) return undefined;
  return /^#+ *licen[cs]e *\n+(.+)/im.exec(readFileSync(join(folder, readme), 'utf8'))?.[1]?.trim();
}
