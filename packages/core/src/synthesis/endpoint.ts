/** One request to an OpenAI-compatible endpoint: bounded in time and bytes, to that address alone. */
import { z } from 'zod';
import type { Answer } from './journal.ts';
import type { EndpointOptions } from './options.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Question {
  readonly messages: readonly Message[];
  readonly seed: number;
}

export type FailureReason =
  | 'busy'
  | 'server_error'
  | 'timeout'
  | 'not_reached'
  | 'broken_connection'
  | 'refused'
  | 'not_an_answer'
  | 'too_large';

/** Why there is no answer. */
export class RequestFailure extends Error {
  readonly reason: FailureReason;
  /** HTTP status, where there was one. */
  readonly status: number | null;
  /** Another try may do. */
  readonly mayPass: boolean;
  /** What the server asks to wait. */
  readonly waitMilliseconds: number | null;

  constructor(
    reason: FailureReason,
    message: string,
    { status = null, wait = null, cause }: { status?: number | null; wait?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'RequestFailure';
    this.reason = reason;
    this.status = status;
    this.waitMilliseconds = wait;
    this.mayPass = ['busy', 'server_error', 'timeout', 'not_reached', 'broken_connection'].includes(reason);
  }
}

/** An answer of a million tokens has about 4 MB. */
const MOST_BYTES = 8 << 20;
/** What is quoted of an error. */
const MOST_QUOTED = 300;
/** There was no connection at all; ports of some protocols are never asked. */
const NOT_CONNECTED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'bad port',
];

const completionSchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
        }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0).nullish(), completion_tokens: z.int().min(0).nullish() }).nullish(),
});

/** The body of a request; what it says decides the answer. */
export function requestBody({ model, parameters, sendSeed }: EndpointOptions, { messages, seed }: Question): string {
  return JSON.stringify({ model, ...parameters, messages, ...(sendSeed && { seed }) });
}

/**
 * @param apiKey goes to this address only: a redirect is a failure
 * @throws RequestFailure; the reason of `signal` when it is aborted
 */
export async function ask(
  endpoint: EndpointOptions,
  question: Question,
  { apiKey, signal }: { apiKey: string | null; signal: AbortSignal },
): Promise<Answer> {
  const started = performance.now();
  const timeout = AbortSignal.timeout(endpoint.timeoutMilliseconds);
  let status: number;
  let retryAfter: string | null;
  let body: string;
  try {
    const response = await fetch(`${endpoint.url}/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }) },
      body: requestBody(endpoint, question),
      signal: AbortSignal.any([signal, timeout]),
    });
    status = response.status;
    retryAfter = response.headers.get('retry-after');
    body = await readBounded(response);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof RequestFailure) throw cause;
    if (timeout.aborted) {
      throw new RequestFailure('timeout', `no answer in ${endpoint.timeoutMilliseconds / 1000} s`, { cause });
    }
    const code = causeOf(cause);
    const reason = NOT_CONNECTED.includes(code) ? 'not_reached' : 'broken_connection';
    throw new RequestFailure(reason, `the connection failed: ${code}`, { cause });
  }
  if (status !== 200) throw failureOf(status, body, { retryAfter, apiKey });
  return { ...answerIn(body), milliseconds: Math.round(performance.now() - started) };
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new RequestFailure('too_large', `the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerIn(body: string): Omit<Answer, 'milliseconds'> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new RequestFailure('not_an_answer', `what came is no JSON: ${quoted(body)}`, { cause });
  }
  const { data } = completionSchema.safeParse(value);
  const choice = data?.choices[0];
  if (!data || !choice) {
    throw new RequestFailure('not_an_answer', `what came is no chat completion: ${quoted(body)}`);
  }
  const { message } = choice;
  return {
    content: message.content ?? '',
    reasoning: message.reasoning_content ?? message.reasoning ?? null,
    finishReason: choice.finish_reason ?? null,
    model: data.model ?? null,
    promptTokens: data.usage?.prompt_tokens ?? null,
    completionTokens: data.usage?.completion_tokens ?? null,
  };
}

function failureOf(
  status: number,
  body: string,
  { retryAfter, apiKey }: { retryAfter: string | null; apiKey: string | null },
): RequestFailure {
  // Some servers repeat the key they refuse.
  const said = quoted(apiKey ? body.replaceAll(apiKey, '…') : body);
  const message = `status ${status}${said ? `: ${said}` : ''}`;
  const reason = status === 429 ? 'busy' : status === 408 ? 'timeout' : status >= 500 ? 'server_error' : 'refused';
  return new RequestFailure(reason, message, { status, wait: waitOf(retryAfter) });
}

/** Seconds, or a date. */
function waitOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const wait = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

function quoted(body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim();
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? (error as Error).message;
}
