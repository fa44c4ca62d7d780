/** The studio: a folder of finished files, read once. Only what was found then is served, so no path leads elsewhere. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { UserError } from '@anneal/core/errors';
import { placeBelow } from './basePath.ts';

/** Beside the sources the build of apps/web; in a bundle the folder beside the agent's. */
const builtStudio = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../web/out' : '../studio', import.meta.url),
);

export interface StudioFile {
  bytes: Buffer<ArrayBuffer>;
  /** By brotli; undefined for what is compressed already. */
  compressed: Buffer<ArrayBuffer> | undefined;
  type: string;
  etag: string;
  /** Its name changes with its content. */
  immutable: boolean;
  /** Hashes of the scripts inside of a page, as a Content-Security-Policy names them. */
  scripts: string[];
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ico': 'image/x-icon',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
};

const compressible = /text|javascript|json|svg|ttf/;

export class StudioFiles {
  readonly #files = new Map<string, string>();
  readonly #read = new Map<string, StudioFile>();
  readonly #basePath: string;

  /** @param basePath below which browsers reach it. @throws UserError `studio_not_built` */
  constructor(folder: string = builtStudio, basePath = '') {
    this.#basePath = basePath;
    for (const path of filesBelow(folder)) this.#files.set(`/${path}`, join(folder, path));
    if (this.#files.has('/index.html')) return;
    throw new UserError({
      what: 'the studio is not built',
      where: folder,
      next: 'build it with `npm run build`',
      code: 'studio_not_built',
    });
  }

  /** The file at a path of a URL; pages are called without their ending. */
  at(path: string): StudioFile | undefined {
    const name = path === '/' ? '/index.html' : this.#files.has(path) ? path : `${path.replace(/\/$/, '')}.html`;
    const source = this.#files.get(name);
    if (source === undefined) return undefined;
    const known = this.#read.get(name);
    if (known) return known;
    const file = load(source, name, this.#basePath);
    this.#read.set(name, file);
    return file;
  }

  /** The page for a path that is none. */
  get notFound(): StudioFile | undefined {
    return this.at('/404.html');
  }
}

function load(source: string, name: string, basePath: string): StudioFile {
  const type = types[extname(name)] ?? 'application/octet-stream';
  const built = readFileSync(source);
  const namesPaths = /html|javascript|plain/.test(type);
  const bytes = namesPaths ? Buffer.from(placeBelow(basePath, built.toString('utf8'))) : built;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } };
  return {
    bytes,
    compressed: compressible.test(type) ? brotliCompressSync(bytes, quality) : undefined,
    type,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    immutable: name.startsWith('/_next/static/'),
    scripts: type.startsWith('text/html') ? hashesOfScripts(bytes.toString('utf8')) : [],
  };
}

/** Next.js starts a page with small scripts inside of it: each is allowed by its hash, and no other. */
function hashesOfScripts(html: string): string[] {
  const inside = html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g);
  const hashes = [...inside].map(([, text = '']) => createHash('sha256').update(text).digest('base64'));
  return [...new Set(hashes)].map((hash) => `'sha256-${hash}'`);
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.replace(/\/$/, '').length + 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
