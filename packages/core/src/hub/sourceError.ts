import { HubApiError } from '@huggingface/hub';
import { UserError } from '../errors.ts';

/** Why one source could not give the model; the next source is tried. Its message never holds a token. */
export class SourceError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SourceError';
  }
}

const NETWORK_REASONS: Record<string, string> = {
  ENOTFOUND: 'host name not found (no network?)',
  EAI_AGAIN: 'host name could not be looked up (no network?)',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection broken',
  UND_ERR_SOCKET: 'connection broken',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the transfer stalled',
  ENETUNREACH: 'network unreachable',
};

/**
 * Turns what `fetch` and the hub client throw into a reason a person can read. What no other source could mend is
 * thrown on: aborts by the caller, UserErrors, failures of the local disk.
 */
export function asSourceError(error: unknown, signal?: AbortSignal): SourceError {
  if (signal?.aborted) throw signal.reason;
  if (error instanceof SourceError) return error;
  if (error instanceof HubApiError) return httpError(error.statusCode, error.message.replace(/\. URL: .*$/s, ''));
  if (!(error instanceof Error) || error instanceof UserError || 'syscall' in error) throw error;
  if (error.name === 'TimeoutError') {
    return new SourceError('no whole answer in time', error);
  }
  if (error instanceof SyntaxError) return new SourceError('its answer is no JSON', error);
  // The hub's client takes an answer for what it should be; what the network failed with has a cause.
  if (error instanceof TypeError && error.cause === undefined) {
    return new SourceError(`its answer is not what a hub gives (${error.message})`, error);
  }
  const cause = error.cause as { code?: string; message?: string } | undefined;
  const reason = NETWORK_REASONS[cause?.code ?? ''] ?? cause?.message ?? error.message;
  return new SourceError(reason, error);
}

export function httpError(status: number, detail?: string): SourceError {
  const hints: Record<number, string> = {
    401: 'not found, or private: if it is private or gated, accept its license on its page and set HF_TOKEN',
    403: 'access refused: accept its license on its page and set HF_TOKEN',
    404: 'not found',
    429: 'too many requests: try again later',
  };
  return new SourceError([`HTTP ${status}`, hints[status] ?? detail].filter(Boolean).join(', '));
}
