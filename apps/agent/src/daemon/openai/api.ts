/** OpenAI's API for the models of this agent: `/v1`. */
import { setTimeout } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import type { AnswerEnd, AnswerPiece, AnswerRequest, LoadProgress } from '@anneal/core/protocol/chat';
import { variantOf } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';
import { parseJson } from '@anneal/formats/json';
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { z } from 'zod';
import type { Caller, Callers } from '../auth/callers.ts';
import { bodyOf } from '../body.ts';
import type { Chattables } from '../chat/chattables.ts';
import type { LoadedModels } from '../chat/loadedModels.ts';
import { chatRequest, completionRequest } from './answerRequest.ts';
import { type AnswerForm, chatForm, completionForm } from './answers.ts';
import { type ApiError, apiError, apiErrorOf, wrongParameters } from './errors.ts';
import { chatParameters, completionParameters } from './parameters.ts';

/** As long as a stream says nothing: proxies close what is silent for 30 seconds or more. */
const usualKeepAlive = 10_000;

export interface ApiOptions {
  callers: Callers;
  chattables: Chattables;
  models: LoadedModels;
  log: (text: string) => void;
  /** Milliseconds. */
  keepAlive?: number;
}

/** A conversation as long as any context has room for, and its frame in JSON. */
const largestBody = 8 << 20;

export type ApiEnvironment = { Variables: { caller: Caller } };
type Progress = LoadProgress | AnswerPiece;

export function createApi({
  callers,
  chattables,
  models,
  log,
  keepAlive = usualKeepAlive,
}: ApiOptions): Hono<ApiEnvironment> {
  const app = new Hono<ApiEnvironment>();

  app.onError((error, c) => {
    const known = error instanceof Refused ? error.error : apiErrorOf(error);
    if (!known) log(`defect in ${c.req.method} ${c.req.path}: ${error.stack}`);
    return refuse(c, known ?? defect);
  });
  app.use(async (c, next) => {
    const { authorization, cookie, origin } = c.req.header();
    const caller = callers.identify({ authorization, cookie, origin }, { changes: c.req.method !== 'GET' });
    if (caller === 'too_many_attempts') {
      throw new Refused(
        apiError(429, caller, 'There were too many wrong tokens in the last minute.', { retryAfter: 60 }),
      );
    }
    if (caller === 'unknown') {
      const message = 'A valid token is needed: "Authorization: Bearer …". Make one with `anneal token create`.';
      throw new Refused(apiError(401, 'invalid_api_key', message));
    }
    if (!caller.may('chat')) throw new Refused(apiError(403, 'wrong_scope', 'This token may not talk to models.'));
    c.set('caller', caller);
    return next();
  });

  const listed = async (): Promise<ApiModel[]> => (await chattables.list()).flatMap(modelsOf);

  app.get('/models', async (c) => c.json({ object: 'list', data: await listed() }));

  app.get('/models/:id{.+}', async (c) => {
    const { id } = await chattables.find(c.req.param('id'));
    const all = await listed();
    // A checkpoint that the list leaves out is as old as its run.
    const model = all.find((one) => one.id === id) ?? all.find((one) => one.id === variantOf(id).model);
    return c.json({ ...model, id });
  });

  app.post('/chat/completions', async (c) => {
    const wanted = await parametersOf(c, chatParameters);
    const request = chatRequest(wanted);
    return answer(c, wanted, request, chatForm(wanted.model, request));
  });

  app.post('/completions', async (c) => {
    const wanted = await parametersOf(c, completionParameters);
    return answer(c, wanted, completionRequest(wanted), completionForm(wanted.model, wanted.prompt));
  });

  app.all('*', (c) => refuse(c, apiError(404, 'not_found', `There is no ${c.req.method} ${c.req.path}.`)));

  async function answer(
    c: Context<ApiEnvironment>,
    { model, stream, stream_options: extra }: StreamParameters,
    request: AnswerRequest,
    form: AnswerForm,
  ): Promise<Response> {
    const { signal } = c.req.raw;
    const how = { client: c.get('caller').key, signal };
    const wanted = await chattables.find(model);
    const [unread] = await models.unread(wanted, request, how);
    if (unread)
      throw new Refused(
        apiError(400, 'unsupported_parameter', unread.why, { param: parameterNames[unread.parameter] }),
      );
    const pieces = models.answer(wanted, request, how);
    const first = firstPiece(pieces);
    if (!stream) return whole(c, form, await first, pieces);
    // Up to the first token every error has a status of its own, unless that takes so long that proxies would not wait.
    await Promise.race([first, setTimeout(keepAlive, undefined, { ref: false })]);
    return streamed(c, form, first, pieces, extra?.include_usage ?? false);
  }

  function streamed(
    c: Context<ApiEnvironment>,
    form: AnswerForm,
    first: Promise<IteratorResult<AnswerPiece, AnswerEnd>>,
    pieces: AsyncGenerator<Progress, AnswerEnd>,
    withUsage: boolean,
  ): Response {
    first.catch(() => undefined); // awaited below

    return streamSSE(c, async (out) => {
      const send = (data: object | null) => (data ? out.writeSSE({ data: JSON.stringify(data) }) : undefined);
      const waiting = setInterval(() => void out.write(': waiting for the model\n\n'), keepAlive);
      try {
        let step: IteratorResult<Progress, AnswerEnd> = await first.finally(() => clearInterval(waiting));
        await send(form.opening());
        for (; !step.done; step = await pieces.next()) if (isPiece(step.value)) await send(form.chunk(step.value));
        await send(form.closing(step.value));
        if (withUsage) await send(form.usage(step.value));
        await out.writeSSE({ data: '[DONE]' });
      } catch (error) {
        const known = apiErrorOf(error);
        if (!known && !c.req.raw.signal.aborted) log(`defect in ${c.req.path}: ${(error as Error).stack}`);
        await send((known ?? defect).body);
      } finally {
        await pieces.return(undefined as never);
      }
    });
  }

  return app;
}

interface StreamParameters {
  model: string;
  stream?: boolean | null | undefined;
  stream_options?: { include_usage?: boolean | null | undefined } | null | undefined;
}

class Refused extends Error {
  readonly error: ApiError;

  constructor(error: ApiError) {
    super(error.body.error.message);
    this.error = error;
  }
}

const parameterNames = {
  tools: 'tools',
  thinking: 'chat_template_kwargs.enable_thinking',
  messages: 'messages',
} as const;

const defect = apiError(500, 'internal_error', 'Unexpected error in the agent; its output says more.');

function refuse(c: Context, { status, body, retryAfter }: ApiError): Response {
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  if (status === 401) c.header('WWW-Authenticate', 'Bearer');
  return c.json(body, status);
}

async function parametersOf<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  if (!/^application\/json\b/.test(c.req.header('content-type') ?? '')) {
    throw new Refused(apiError(415, 'wrong_content_type', 'The body has to be application/json.'));
  }
  const bytes = await bodyOf(c.req.raw, largestBody);
  if (!bytes) throw new Refused(apiError(413, 'body_too_large', `A request has at most ${largestBody} bytes.`));
  let value: unknown;
  try {
    value = parseJson(bytes, 'the body');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new Refused(apiError(400, error.code, `The body is ${error.what}.`));
  }
  const { data, error } = schema.safeParse(value, { reportInput: true });
  if (error) throw new Refused(wrongParameters(error));
  return data;
}

async function whole(
  c: Context,
  form: AnswerForm,
  first: IteratorResult<AnswerPiece, AnswerEnd>,
  pieces: AsyncGenerator<Progress, AnswerEnd>,
): Promise<Response> {
  const made: AnswerPiece[] = [];
  let step: IteratorResult<Progress, AnswerEnd> = first;
  for (; !step.done; step = await pieces.next()) if (isPiece(step.value)) made.push(step.value);
  return c.json(form.whole(step.value, made));
}

async function firstPiece(
  pieces: AsyncGenerator<Progress, AnswerEnd>,
): Promise<IteratorResult<AnswerPiece, AnswerEnd>> {
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return { value, done };
    if (isPiece(value)) return { value, done: false };
  }
}

const isPiece = (progress: Progress): progress is AnswerPiece => 'text' in progress;

/** A run and what it began with. Its other checkpoints can be asked for, and would make the list long. */
function modelsOf({ id, name, created, hasBase }: Chattable): ApiModel[] {
  return [describe(id, created, name), ...(hasBase ? [describe(`${id}@base`, created, `${name} (base)`)] : [])];
}

interface ApiModel {
  id: string;
  object: 'model';
  /** Seconds since 1970. */
  created: number;
  owned_by: string;
  name: string;
}

function describe(id: string, created: string, name: string): ApiModel {
  return { id, object: 'model', created: Math.floor(Date.parse(created) / 1000) || 0, owned_by: 'anneal', name };
}
