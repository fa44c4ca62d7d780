import { SourceError } from './sourceError.ts';

/** A parameter of a link; its value may be quoted. */
const PARAMETER = /\s*;\s*([\w!#$&+.^`|~*-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+)))?/g;
/** One link of a `Link` header (RFC 8288). */
const LINK = new RegExp(`\\s*<([^>]*)>((?:${PARAMETER.source})*)\\s*(?:,|$)`, 'y');

/**
 * Where a list goes on, as a `Link` header says; null for its end.
 * @param base address of the answer, to which a relative link refers
 * @throws SourceError for a header that cannot be read, and for an address that is none of HTTP
 */
export function nextPage(header: string | null, base: string): URL | null {
  const links = header ?? '';
  let next: URL | null = null;
  for (let at = 0; at < links.length; at = LINK.lastIndex) {
    LINK.lastIndex = at;
    const [, address = '', parameters = ''] = LINK.exec(links) ?? [];
    if (LINK.lastIndex === 0)
      throw new SourceError(`its Link header cannot be read: ${JSON.stringify(links.slice(0, 200))}`);
    const [, , quoted, plain] =
      [...parameters.matchAll(PARAMETER)].find(([, name]) => name?.toLowerCase() === 'rel') ?? [];
    if (!(quoted ?? plain ?? '').toLowerCase().split(/\s+/).includes('next')) continue;
    next ??= addressOf(address, base);
  }
  return next;
}

function addressOf(address: string, base: string): URL {
  const url = URL.canParse(address, base) ? new URL(address, base) : null;
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new SourceError(
    `its list of files goes on at ${JSON.stringify(address.slice(0, 200))}, which is no address of HTTP`,
  );
}
