/** Errors as OpenAI's clients know them. */
import { UserError } from '@anneal/core/errors';
import type { z } from 'zod';

export interface ApiError {
  status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503;
  body: { error: { message: string; type: string; param: string | null; code: string | null } };
  /** Seconds after which it may be tried again. */
  retryAfter?: number;
}

export function apiError(
  status: ApiError['status'],
  code: string,
  message: string,
  { param = null, retryAfter }: { param?: string | null; retryAfter?: number } = {},
): ApiError {
  return {
    status,
    body: { error: { message, type: typeOf(status), param, code } },
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function typeOf(status: ApiError['status']): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Of the first thing in a request that cannot be used. */
export function wrongParameters(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const param = [...path, issue.keys[0] ?? ''].join('.');
    return apiError(400, 'unknown_parameter', `Unknown parameter: '${param}'.`, { param });
  }
  const param = path.join('.');
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined;
  const message = isMissing ? `Missing required parameter: '${param}'.` : `Invalid '${param}': ${issue?.message}.`;
  return apiError(400, isMissing ? 'missing_required_parameter' : 'invalid_value', message, { param });
}

/** What a use case says, with the code and the status that clients act on. */
const known: Readonly<Record<string, { status: ApiError['status']; code?: string; retryAfter?: number }>> = {
  model_not_known: { status: 404, code: 'model_not_found' },
  checkpoint_not_found: { status: 404, code: 'model_not_found' },
  no_checkpoint: { status: 404, code: 'model_not_found' },
  no_checkpoint_yet: { status: 404, code: 'model_not_found' },
  no_adapter: { status: 404, code: 'model_not_found' },
  model_not_pulled: { status: 404, code: 'model_not_found' },
  bad_request: { status: 400, code: 'invalid_value' },
  prompt_empty: { status: 400 },
  prompt_too_long: { status: 400, code: 'context_length_exceeded' },
  template_missing: { status: 400 },
  template_refused: { status: 400 },
  model_busy: { status: 429, retryAfter: 2 },
  too_many_models: { status: 429, retryAfter: 10 },
  out_of_memory: { status: 503, retryAfter: 30 },
  process_died: { status: 503, retryAfter: 5 },
};

/** Undefined for a defect. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  if (!(error instanceof UserError)) return undefined;
  const { status, code = error.code, retryAfter } = known[error.code] ?? { status: 500 as const };
  const message = [error.what, error.where && `(${error.where})`, error.next && `– ${error.next}`]
    .filter(Boolean)
    .join(' ');
  return apiError(status, code, message, retryAfter === undefined ? {} : { retryAfter });
}
