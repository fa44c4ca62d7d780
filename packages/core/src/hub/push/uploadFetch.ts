import { setTimeout as delay } from 'node:timers/promises';
import { asSourceError, httpError, SourceError } from '../sourceError.ts';
import { BrokenTransfer, Watchdog } from '../watchdog.ts';
import { FilePart } from './filePart.ts';

/** How long an upload may take. */
export interface UploadPatience {
  /** For an answer once everything is sent: a store puts the parts of a file together, a hub checks a commit. */
  readonly answerMilliseconds: number;
  /** A transfer has to send a piece (256 KiB) in this time. */
  readonly stallMilliseconds: number;
  /** Before a part that broke off is sent again; each once. */
  readonly pausesMilliseconds: readonly number[];
}

export const UPLOAD_PATIENCE: UploadPatience = {
  answerMilliseconds: 180_000,
  stallMilliseconds: 60_000,
  pausesMilliseconds: [500, 2000, 8000],
};

interface Uploading {
  hubUrl: string;
  signal: AbortSignal | undefined;
  patience: UploadPatience;
  /** Bytes of a file that were sent; negative where a part that broke off begins anew. */
  onSent(file: string, bytes: number): void;
}

/**
 * A `fetch` for the hub's client. It asks the hub, and stores that the hub names – over TLS, and without the token, which goes to
 * the hub only. Nothing is redirected. A part of a file that broke off is sent again; what changes the repository never is.
 */
export function uploadFetch({ hubUrl, signal, patience, onSent }: Uploading): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    requireKnown(url, hubUrl, init);
    const { body } = init;
    const either = AbortSignal.any([signal, init.signal].filter((one) => one instanceof AbortSignal));
    if (!(body instanceof FilePart)) return send(url, init, () => undefined, { signal: either, patience });
    for (let failures = 0; ; failures++) {
      let sent = 0;
      const counted = (watchdog: Watchdog) =>
        body.counted((bytes) => {
          sent += bytes;
          onSent(body.file.name, bytes);
          watchdog.expect(patience.stallMilliseconds);
        });
      try {
        return await send(url, init, counted, { signal: either, patience });
      } catch (error) {
        onSent(body.file.name, -sent);
        const pause = patience.pausesMilliseconds[failures];
        if (!(error instanceof BrokenTransfer) || pause === undefined) throw error;
        await delay(pause, undefined, { signal: either });
      }
    }
  };
}

/** @throws SourceError where a token or a file would go to somebody else */
function requireKnown(url: URL, hubUrl: string, { headers }: RequestInit): void {
  const hub = new URL(hubUrl);
  if (url.origin === hub.origin) return;
  if (new Headers(headers).has('authorization')) throw new SourceError(`it asks for the token at ${url.host}`);
  // Where the hub itself is asked without TLS (a mirror in the same network), its store may be, too.
  if (url.protocol !== 'https:' && hub.protocol === 'https:') {
    throw new SourceError(`it names a store without TLS, ${url.host}`);
  }
}

async function send(
  url: URL,
  init: RequestInit,
  counted: (watchdog: Watchdog) => Blob | undefined,
  { signal, patience }: { signal: AbortSignal; patience: UploadPatience },
): Promise<Response> {
  const watchdog = new Watchdog(signal);
  try {
    const body = counted(watchdog) ?? init.body ?? null;
    watchdog.expect(patience.answerMilliseconds);
    const response = await fetch(url, { ...init, body, redirect: 'manual', signal: watchdog.signal });
    // Here, while somebody watches: the caller has no limit of its own.
    const answer = await response.arrayBuffer();
    if (response.status >= 500 || response.status === 429) {
      throw new BrokenTransfer(httpError(response.status).message);
    }
    if (response.status >= 300 && response.status < 400) {
      throw new SourceError('it leads to another address: the repository may have another name now');
    }
    const { status, statusText, headers } = response;
    return new Response(answer.byteLength === 0 ? null : answer, { status, statusText, headers });
  } catch (error) {
    const reason = asSourceError(error, signal);
    throw reason.cause === undefined ? reason : new BrokenTransfer(reason.message, reason.cause);
  } finally {
    watchdog.stop();
  }
}
