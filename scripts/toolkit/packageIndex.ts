/** The Python package index that pip on this machine would ask, and where in it a file is. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE } from '@anneal/core/hub/boundedFetch';
import { asSourceError, SourceError } from '@anneal/core/hub/sourceError';

const publicIndex = 'https://pypi.org/simple';

/** From PIP_INDEX_URL, else from pip's configuration files, else the public one. Without a slash at the end. */
export function packageIndex(environment: NodeJS.ProcessEnv = process.env, home = homedir()): string {
  const { PIP_INDEX_URL, PIP_CONFIG_FILE, VIRTUAL_ENV, XDG_CONFIG_HOME = join(home, '.config') } = environment;
  const files = [
    ...(PIP_CONFIG_FILE ? [PIP_CONFIG_FILE] : []),
    ...(VIRTUAL_ENV ? [join(VIRTUAL_ENV, 'pip.conf')] : []),
    join(XDG_CONFIG_HOME, 'pip', 'pip.conf'),
    join(home, '.pip', 'pip.conf'),
    '/etc/pip.conf',
  ];
  const configured = files.map(indexUrlOf).find((url) => url !== undefined);
  return (PIP_INDEX_URL || configured || publicIndex).replace(/\/+$/, '');
}

function indexUrlOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return /^\s*index[-_]url\s*[=:]\s*(\S+)/m.exec(readFileSync(path, 'utf8'))?.[1];
}

/** Where a file can be had, with the headers to ask for it. */
export interface Place {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws SourceError */
export async function findInIndex(index: string, packageName: string, file: string): Promise<Place> {
  const { url: base, headers } = withoutPassword(`${index}/${packageName}/`);
  try {
    const response = await fetch(base, {
      headers: { ...headers, Accept: 'application/vnd.pypi.simple.v1+json, text/html;q=0.5' },
      signal: AbortSignal.timeout(PATIENCE.answerMilliseconds),
    });
    if (!response.ok) throw new SourceError(`HTTP ${response.status} for ${base}`);
    const url = linkTo(file, await response.text());
    if (!url) throw new SourceError(`${base} has no ${file}`);
    const place = new URL(url, response.url);
    place.hash = '';
    // The password is the index's own: another host does not get it.
    return { url: place.href, headers: place.host === new URL(base).host ? headers : {} };
  } catch (error) {
    const { message } = asSourceError(error);
    throw new SourceError(message.includes(base) ? message : `${base}: ${message}`, error);
  }
}

/** `fetch` takes no address with a name and password in it. */
function withoutPassword(address: string): Place {
  if (!URL.canParse(address)) throw new SourceError(`the package index ${address} is not a web address`);
  const url = new URL(address);
  const secret = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  const headers: Record<string, string> =
    secret === ':' ? {} : { Authorization: `Basic ${Buffer.from(secret).toString('base64')}` };
  return { url: url.href, headers };
}

/** An index answers in JSON (PEP 691), older ones in HTML (PEP 503). */
function linkTo(file: string, answer: string): string | undefined {
  if (answer.trimStart().startsWith('{')) {
    const { files } = JSON.parse(answer) as { files: { filename: string; url: string }[] };
    return files.find(({ filename }) => filename === file)?.url;
  }
  const links = [...answer.matchAll(/href\s*=\s*["']([^"']+)["']/g)].map(([, link = '']) =>
    link.replaceAll('&amp;', '&'),
  );
  return links.find((link) => link.replace(/[#?].*$/, '').endsWith(`/${file}`) || link.replace(/[#?].*$/, '') === file);
}
