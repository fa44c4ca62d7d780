/** Everything that is asked for without a socket: the studio, pairing, and whether the agent is well. */
import { UserError } from '@anneal/core/errors';
import { compareRunsRequest } from '@anneal/core/protocol/runs';
import { parseJson } from '@anneal/formats/json';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { parseRequest } from '../service/parseRequest.ts';
import type { Access } from './auth/access.ts';
import type { Audit } from './auth/audit.ts';
import type { Callers } from './auth/callers.ts';
import { bodyOf } from './body.ts';
import { type CookiePlace, endedCookie, sessionCookie, sessionsIn } from './cookies.ts';
import type { DataSources } from './data/dataSources.ts';
import { downloadRows } from './data/download.ts';
import { type Uploads, uploadsPath } from './data/uploads.ts';
import { wrongInQuery } from './knownQuery.ts';
import { metricsType } from './metrics.ts';
import type { ApiEnvironment } from './openai/api.ts';
import { apiError } from './openai/errors.ts';
import { stillWorking, withinPatience } from './patience.ts';
import { downloadComparison, downloadSteps } from './runs/download.ts';
import type { RunFeeds } from './runs/feeds.ts';
import type { StudioFile, StudioFiles } from './studioFiles.ts';

export interface HttpOptions {
  agentId: string;
  version: string;
  access: Access;
  audit: Audit;
  studio: StudioFiles;
  data: DataSources;
  feeds: RunFeeds;
  uploads: Uploads;
  callers: Callers;
  /** What `/metrics` tells. */
  metrics(): Promise<string>;
  /** Answers below `/v1`. */
  api: Hono<ApiEnvironment>;
  /** Is told of defects. */
  log(text: string): void;
  /** Where cookies are sent. */
  cookiePlace: CookiePlace;
  /** Called with a session's token that holds no longer. */
  onSignOut(token: string): void;
  /** Answers with what a run was exported as, or one file of it, by keys. @throws UserError where there is nothing of these names */
  download(wanted: { run: string; key: string; file: string | undefined }, request: Headers): Promise<Response>;
}

/** A code and its frame in JSON. */
const largestBody = 4096;

const pairSchema = z.strictObject({ code: z.string().min(1).max(512) });

const headers: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

export function createHttp(options: HttpOptions): Hono {
  const {
    agentId,
    version,
    access,
    audit,
    studio,
    callers,
    metrics,
    data,
    feeds,
    uploads,
    api,
    log,
    cookiePlace,
    onSignOut,
    download,
  } = options;
  const app = new Hono();

  app.onError((error, c) => {
    // Of a client that went away while it was still sending, there is nobody to be told.
    if (!c.req.raw.signal.aborted) log(`defect in ${c.req.method} ${c.req.path}: ${error.stack}`);
    return c.json(
      { error: { code: 'unexpected', what: 'unexpected error in the agent', next: 'its output says more' } },
      500,
    );
  });

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
  });

  for (const path of ['/api/*', '/v1/*', '/metrics']) {
    app.use(path, async (c, next) => {
      const wrong = wrongInQuery(c.req.path, new URL(c.req.url).searchParams);
      if (!wrong) return next();
      const { name, isTwice } = wrong;
      if (path === '/v1/*') {
        const message = `Unknown query parameter: '${name}'.`;
        return c.json(apiError(400, 'unknown_parameter', message, { param: name }).body, 400);
      }
      const what = `the address asks for ${JSON.stringify(name)}${isTwice ? ' twice' : ', which is nothing that can be asked for here'}`;
      return c.json({ error: { code: 'bad_request', what, next: `leave ${isTwice ? 'one' : 'it'} out` } }, 400);
    });
  }

  app.get('/healthz', (c) => c.json({ ok: true, version }));

  app.get('/metrics', async (c) => {
    const { authorization, cookie, origin } = c.req.header();
    const caller = callers.identify({ authorization, cookie, origin }, { changes: false });
    if (typeof caller === 'string') {
      c.header('WWW-Authenticate', 'Bearer');
      return c.text(
        'A token is needed: make one with `anneal token create prometheus --scope metrics`.\n',
        caller === 'unknown' ? 401 : 429,
      );
    }
    if (!caller.may('metrics')) return c.text('This token may not read the metrics.\n', 403);
    try {
      return c.body(await withinPatience(metrics(), stillWorking), 200, { 'Content-Type': metricsType });
    } catch (error) {
      return refused(c, error);
    }
  });

  /** Of somebody who may not look at data, or change them. */
  const refusalOf = (c: Context, { changes }: { changes: boolean }): Response | undefined => {
    const caller = callers.identify(c.req.header(), { changes });
    if (caller === 'too_many_attempts') {
      return c.json({ error: { code: caller, what: 'too many wrong tokens in the last minute' } }, 429);
    }
    if (caller !== 'unknown' && caller.may('data')) return undefined;
    return c.json({ error: { code: 'not_paired', what: 'a paired browser or a token for data is needed' } }, 401);
  };

  // Before other bodies are looked at: a part of a file is no JSON.
  for (const path of [uploadsPath, `${uploadsPath}/:upload`]) {
    app.all(path, async (c) => {
      const refusal = refusalOf(c, { changes: c.req.method !== 'HEAD' });
      if (!refusal && c.req.method === 'POST') {
        const caller = callers.identify(c.req.header(), { changes: true });
        const name = typeof caller === 'string' ? null : caller.name;
        audit.record({
          name,
          action: 'upload data',
          input: { bytes: c.req.header('upload-length') },
          outcome: 'begun',
        });
      }
      return refusal ?? uploads.handle(c.req.raw);
    });
  }

  /** What a page that cannot open the socket asks for: whether it is paired. */
  app.get('/api/session', (c) => {
    c.header('Cache-Control', 'no-store');
    return c.json({ paired: access.sessionAmong(sessionsIn(c.req.header('cookie'), agentId)) !== undefined });
  });

  app.use('/api/*', async (c, next) => {
    if (c.req.method !== 'POST' || isJson(c)) return next();
    return c.json({ error: { code: 'wrong_content_type', what: 'the body has to be application/json' } }, 415);
  });

  app.post('/api/pair', async (c) => {
    const body = await bodyOf(c.req.raw, largestBody);
    if (!body)
      return c.json({ error: { code: 'body_too_large', what: `a request has at most ${largestBody} bytes` } }, 413);
    const wanted = pairSchema.safeParse(jsonIn(body));
    if (!wanted.success) return c.json({ error: { code: 'wrong_request', what: 'the body has no code' } }, 400);
    try {
      const token = await access.pair(wanted.data.code, c.req.header('user-agent')?.slice(0, 200));
      audit.record({ name: access.personOf(token)?.name ?? null, action: 'pair a browser', outcome: 'done' });
      c.header('Set-Cookie', sessionCookie(agentId, token, cookiePlace));
      return c.json({ paired: true });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const isLate = error.code === 'too_many_attempts';
      if (!isLate) audit.record({ name: null, action: 'pair a browser', outcome: error.code });
      return c.json({ error: error.toJSON() }, isLate ? 429 : 403);
    }
  });

  app.post('/api/signout', async (c) => {
    for (const token of sessionsIn(c.req.header('cookie'), agentId)) {
      const name = access.personOf(token)?.name;
      if (name === undefined) continue;
      audit.record({ name, action: 'sign out', outcome: 'done' });
      await access.endSession(token);
      onSignOut(token);
    }
    c.header('Set-Cookie', endedCookie(agentId, cookiePlace));
    return c.json({ paired: false });
  });

  /** Keys are no secrets: who may ask is decided by the session, or by a token. */
  app.get('/api/exports/download', async (c) => {
    const caller = callers.identify(c.req.header(), { changes: false });
    if (caller === 'too_many_attempts') {
      return c.json({ error: { code: caller, what: 'too many wrong tokens in the last minute' } }, 429);
    }
    if (caller === 'unknown' || !caller.may('exports')) {
      return c.json({ error: { code: 'not_paired', what: 'a paired browser or a token for exports is needed' } }, 401);
    }
    try {
      const { run = '', export: key = '', file } = c.req.query();
      return await download({ run, key, file }, c.req.raw.headers);
    } catch (error) {
      return refused(c, error);
    }
  });
  app.route('/v1', api);

  app.get('/api/runs/steps', async (c) => {
    const refusal = refusalOf(c, { changes: false });
    if (refusal) return refusal;
    try {
      return downloadSteps(c, await withinPatience(feeds.get(c.req.query('run') ?? ''), stillWorking));
    } catch (error) {
      return refused(c, error);
    }
  });

  app.get('/api/runs/comparison', async (c) => {
    const refusal = refusalOf(c, { changes: false });
    if (refusal) return refusal;
    try {
      const steps = c.req.query('steps');
      if (steps)
        throw new UserError({
          what: '"steps" takes no value',
          next: 'write &steps, or leave it out',
          code: 'bad_request',
        });
      const { runs } = parseRequest(compareRunsRequest, { runs: c.req.queries('run') ?? [] });
      const found = Promise.all(runs.map((run) => feeds.get(run)));
      const answer = found.then((read) => downloadComparison(c, read, steps !== undefined));
      return await withinPatience(answer, stillWorking);
    } catch (error) {
      return refused(c, error);
    }
  });

  app.get('/api/data/rows', async (c) => refusalOf(c, { changes: false }) ?? downloadRows(c, data));

  app.get('*', (c) => {
    const file = studio.at(decoded(c.req.path));
    if (file) return send(c, file, 200);
    return studio.notFound ? send(c, studio.notFound, 404) : c.text('not found', 404);
  });

  app.all('*', (c) => c.text('not found', 404));
  return app;
}

/** What cannot be asked so, and what is not known yet, are other answers than what is not there. @throws what is no UserError */
function refused(c: Context, error: unknown): Response {
  if (!(error instanceof UserError)) throw error;
  const status = ({ bad_request: 400, still_working: 503 } as const)[error.code] ?? 404;
  return c.json({ error: error.toJSON() }, status);
}

/** Undefined where it is none. */
function jsonIn(body: Uint8Array): unknown {
  try {
    return parseJson(body, 'the body');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

function isJson(c: Context): boolean {
  return /^application\/json\b/.test(c.req.header('content-type') ?? '');
}

function send(c: Context, file: StudioFile, status: 200 | 404): Response {
  c.header('Content-Type', file.type);
  c.header('ETag', file.etag);
  c.header('Cache-Control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  c.header('Vary', 'Accept-Encoding');
  if (file.type.startsWith('text/html')) c.header('Content-Security-Policy', policyOf(file));
  if (file.type.startsWith('text/javascript')) c.header('Content-Security-Policy', workerPolicy);
  if (c.req.header('if-none-match') === file.etag && status === 200) return c.body(null, 304);
  if (!file.compressed || !/\bbr\b/.test(c.req.header('accept-encoding') ?? '')) return c.body(file.bytes, status);
  c.header('Content-Encoding', 'br');
  return c.body(file.compressed, status);
}

/** Of a script that runs as a worker: a policy of its own, not the page's. */
const workerPolicy = "default-src 'none'; script-src 'self'";

/** Nothing from elsewhere, and no script that is not ours. `style` attributes place charts and menus. */
function policyOf(page: StudioFile): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${page.scripts.join(' ')}`.trim(),
    "style-src 'self' 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
