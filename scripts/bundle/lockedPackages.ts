import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of the npm packages that parts of this repository depend on, as `apps/web`, and of those that they need. */
export function lockedPackages(root: string, parts: readonly string[]): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string>; link?: boolean }>;
  };
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
      const place = placeOf(packages, from, name);
      if (place === undefined || packages[place]?.link || found.has(place)) continue;
      found.add(place);
      visit(place);
    }
  };
  for (const part of parts) visit(part);
  return [...found].map((place) => join(root, place)).filter((folder) => existsSync(folder));
}

/** As Node finds it: in the package's own folder, then in those above. */
function placeOf(packages: Readonly<Record<string, unknown>>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = `${folder ? `${folder}/` : ''}node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return undefined;
  }
}
