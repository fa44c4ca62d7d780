import { nextPage } from './nextPage.ts';
import { SourceError } from './sourceError.ts';

/** How long a server may take, and how little it may send. */
export interface Patience {
  /** Until a list or the head of a file is there. */
  readonly answerMilliseconds: number;
  /** A transfer has to bring at least `leastProgress` in this time, or all that is left. */
  readonly stallMilliseconds: number;
  /** For everything that is asked before the first file. */
  readonly listingMilliseconds: number;
}

export const PATIENCE: Patience = {
  answerMilliseconds: 10_000,
  stallMilliseconds: 30_000,
  listingMilliseconds: 60_000,
};

/** Two kilobytes a second: slower than any line that could bring a model. */
const LEAST_PROGRESS_BYTES = 64 * 1024;
const WEEK_MILLISECONDS = 7 * 24 * 3600 * 1000;

/** What has to come of a file in this time: at that rate it takes a week at most. */
export function leastProgress(fileBytes: number, milliseconds: number): number {
  return Math.max(LEAST_PROGRESS_BYTES, (fileBytes * milliseconds) / WEEK_MILLISECONDS);
}

/** The tree of a repository comes in pages of 1,000 entries of about 300 bytes. */
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;
const MOST_REQUESTS = 50;

/**
 * A `fetch` for questions to one hub: to its own address only – what an answer names (`Link`) may lead elsewhere, and a
 * token goes along –, with answers bounded in bytes, number and time.
 */
export function boundedFetch(hubUrl: string, signal: AbortSignal | undefined, patience: Patience): typeof fetch {
  const { origin } = new URL(hubUrl);
  const whole = AbortSignal.timeout(patience.listingMilliseconds);
  const pages = new Set<string>();
  let requests = 0;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) throw new SourceError(`its answer leads to another address, ${url.origin}`);
    if (++requests > MOST_REQUESTS)
      throw new SourceError(`its list of files does not end after ${MOST_REQUESTS} pages`);
    const limits = [AbortSignal.timeout(patience.answerMilliseconds), whole, ...(signal ? [signal] : [])];
    const response = await fetch(input, { ...init, signal: AbortSignal.any(limits) });
    const { status, statusText, headers } = response;
    const body = await readBounded(response);
    const token = new Headers(init?.headers).get('authorization')?.replace(/^Bearer /, '');
    // Some servers repeat the token that they refuse.
    if (!response.ok && token) return new Response(body?.toString().replaceAll(token, '…'), { status, headers });
    const next = nextPage(headers.get('link'), response.url || url.href);
    if (next === null) return new Response(body, { status, statusText, headers });
    if (next.origin !== origin) throw new SourceError(`its list of files goes on at another address, ${next.origin}`);
    if (next.href === url.href || pages.has(next.href))
      throw new SourceError('its list of files goes round in a circle');
    pages.add(next.href);
    // The hub library reads absolute addresses alone, and takes any other for the end of the list.
    const absolute = new Headers(headers);
    absolute.set('link', `<${next.href}>; rel="next"`);
    return new Response(body, { status, statusText, headers: absolute });
  };
}

async function readBounded(response: Response): Promise<Buffer<ArrayBuffer> | null> {
  if (!response.body) return null;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_ANSWER_BYTES) throw new SourceError(`its answer is longer than ${LARGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return bytes === 0 ? null : Buffer.concat(chunks);
}
