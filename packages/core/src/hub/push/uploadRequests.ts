import { HubApiError } from '@huggingface/hub';

/**
 * The requests of one upload. The hub's client sends many at a time and loses what goes wrong in one while it deals with another
 * (it then waits forever, or leaves a rejection that nobody handles), so it never hears of a failure: `orFailure` does.
 */
export class UploadRequests {
  readonly #ask: typeof fetch;
  readonly #underWay = new Set<Promise<Response>>();
  readonly #ended = new AbortController();
  readonly #failure = Promise.withResolvers<never>();

  constructor(ask: typeof fetch) {
    this.#ask = ask;
    this.#failure.promise.catch(() => undefined);
  }

  /** For the hub's client. An answer that is a refusal, or none, never comes. */
  readonly fetch: typeof fetch = (input, init = {}) => {
    const signals = [this.#ended.signal, init.signal].filter((one) => one instanceof AbortSignal);
    const answer = this.#ask(input, { ...init, signal: AbortSignal.any(signals) }).then(requireAccepted);
    this.#underWay.add(answer);
    return new Promise((resolve) => {
      answer.then(resolve, this.#failure.reject).finally(() => this.#underWay.delete(answer));
    });
  };

  /** What the client comes to, or throws what went wrong first. */
  orFailure<T>(step: Promise<T>): Promise<T> {
    return Promise.race([step, this.#failure.promise]);
  }

  /** Ends what is under way. */
  async end(): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#underWay);
  }
}

interface LfsBatch {
  objects?: { error?: { code: number; message: string } }[];
}

/** @throws HubApiError for a request, or a file in an answer for many, that is refused; its message holds the hub's own words */
async function requireAccepted(response: Response): Promise<Response> {
  const { ok, status, headers } = response;
  if (ok && !headers.get('content-type')?.includes('json')) return response;
  const text = await response.clone().text();
  const body = asJson(text) as (LfsBatch & { error?: string; message?: string }) | undefined;
  if (!ok) throw new HubApiError('', status, undefined, body?.error ?? body?.message ?? `HTTP ${status} ${text}`);
  const refused = body?.objects?.find(({ error }) => error)?.error;
  if (refused) throw new HubApiError('', refused.code, undefined, refused.message);
  return response;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
