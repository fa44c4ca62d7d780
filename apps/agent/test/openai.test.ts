/** The agent's `/v1`, spoken to by OpenAI's own client. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { annealIn } from './helpers/anneal.ts';
import { client, makePlace, type Place, paired, post, start } from './helpers/daemon.ts';

const model = 'project/tiny-smollm2';
const messages = [{ role: 'user' as const, content: 'ant bee' }];
/** Without randomness this model never ends by itself. */
const greedy = { model, messages, temperature: 0, max_tokens: 24 };

interface ErrorBody {
  error: { message: string; type: string; code: string | null; param: string | null };
}

async function open(): Promise<{ place: Place; daemon: Daemon; api: OpenAI; token: string; tokens: ApiTokens }> {
  const place = makePlace();
  vi.stubEnv('ANNEAL_CACHE', join(place.workspace, '..', 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  writeTinyModel(join(place.workspace, 'project'));
  const daemon = await start(place);
  const tokens = new ApiTokens(new AgentState(place.workspace).folder);
  const { token } = await tokens.create('test', 'chat');
  return { place, daemon, api: openai(daemon, token), token, tokens };
}

function openai(daemon: Daemon, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${daemon.url}/v1`, maxRetries: 0 });
}

describe('/v1', () => {
  it('lists models as Open WebUI reads them, and finds one by its name', async () => {
    const { api, daemon, token } = await open();
    const { data } = await api.models.list();
    expect(data).toMatchObject([{ id: model, object: 'model', owned_by: 'anneal' }]);
    expect(data[0]?.created).toBeGreaterThan(1.7e9);
    expect(await api.models.retrieve(model)).toEqual(data[0]);
    await expect(api.models.retrieve('other')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    const answer = await fetch(`${daemon.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
    expect(Object.keys((await answer.json()) as object)).toEqual(['object', 'data']);
  });

  it('answers what Open WebUI sends: a chat with usage, a title, a query as one message', async () => {
    const { daemon, token } = await open();
    const headers = {
      authorization: `Bearer ${token}`,
      'X-OpenWebUI-User-Name': 'Ada',
      'X-OpenWebUI-User-Role': 'admin',
    };
    const ask = async (body: object) => {
      const answer = await post(daemon, '/v1/chat/completions', { model, ...body }, headers);
      return { status: answer.status, text: await answer.text() };
    };
    const { text, status } = await ask({
      stream: true,
      messages: [{ role: 'system', content: 'Be kind.' }, ...messages],
      stream_options: { include_usage: true },

      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 4,
      seed: 1,
      stop: ['zzz'],
      frequency_penalty: 0.0,
      logit_bias: {},
    });
    const chunks = text.split('\n\n').filter((line) => line.startsWith('data: {'));
    expect(status).toBe(200);
    expect(JSON.parse(chunks.at(-1)?.slice(6) ?? '')).toMatchObject({ choices: [], usage: { completion_tokens: 4 } });
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    // Title, tags, follow-up questions and search queries; `metadata` stays there, unless it is forwarded by an older one.
    const task = { messages: [{ role: 'user', content: '### Task: a title' }], stream: false };
    for (const most of [{ max_completion_tokens: 5 }, { max_tokens: 5 }]) {
      const { object, choices } = JSON.parse((await ask({ ...task, ...most })).text);
      expect([object, typeof choices[0].message.content]).toEqual(['chat.completion', 'string']);
    }
    // What it would have to ignore, by name, in the form that Open WebUI shows.
    for (const [param, more] of [
      ['metadata.task_body', { metadata: { task: 'title_generation', task_body: {} } }],
      ['reasoning', { reasoning: { effort: 'high' } }],
      ['chat_id', { chat_id: 'x' }],
      ['tools', { tools: [{ type: 'function', function: { name: 'time', description: '', parameters: {} } }] }],
      ['frequency_penalty', { frequency_penalty: 0.5 }],
    ] as const) {
      const refused = await ask({ ...task, ...more });
      expect([refused.status, JSON.parse(refused.text).error.param]).toEqual([400, param]);
    }
    const listed = await fetch(`${daemon.url}/v1/models?limit=1`, { headers });
    expect([listed.status, ((await listed.json()) as ErrorBody).error.param]).toEqual([400, 'limit']);
  });

  it('refuses a system message that the chat template does not print', async () => {
    const { api, place } = await open();
    const path = join(place.workspace, model, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    const withoutSystem = config.chat_template.replace('in messages', "in messages if message.role != 'system'");
    writeFileSync(path, JSON.stringify({ ...config, chat_template: withoutSystem }));
    const system = { role: 'system' as const, content: 'Be kind.' };
    await expect(api.chat.completions.create({ ...greedy, messages: [system, ...messages] })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'messages',
      message: expect.stringContaining('leaves out the system message (message 1)'),
    });
    expect((await api.chat.completions.create(greedy)).choices).toHaveLength(1);
  });

  it('answers, whole and in a stream, with the same text for the same seed', async () => {
    const { api } = await open();
    const whole = await api.chat.completions.create(greedy);
    expect(whole).toMatchObject({
      object: 'chat.completion',
      model,
      choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant', refusal: null }, logprobs: null }],
      usage: { completion_tokens: 24 },
    });
    const text = whole.choices[0]?.message.content as string;
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + 24);

    const chunks: OpenAI.ChatCompletionChunk[] = [];
    const streaming = { ...greedy, stream: true as const, stream_options: { include_usage: true } };
    for await (const chunk of await api.chat.completions.create(streaming)) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(text);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);

    const drawn = async (seed: number | null) =>
      (await api.chat.completions.create({ ...greedy, temperature: 1.5, seed })).choices[0]?.message.content;
    expect(await drawn(7)).toBe(await drawn(7));
    expect(await drawn(7)).not.toBe(await drawn(8));
    expect(await drawn(null)).not.toBe(await drawn(null));
  });

  it('takes an answer of its own back as a message, texts in parts, and the names of clients', async () => {
    const { api } = await open();
    const first = await api.chat.completions.create({ ...greedy, max_tokens: 4 });
    const conversation: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'developer', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'ant ' },
          { type: 'text', text: 'bee' },
        ],
      },
      first.choices[0]?.message as OpenAI.ChatCompletionMessage,
      { role: 'user', content: 'cat' },
    ];
    const asSystem = [{ role: 'system' as const, content: 'Be kind.' }, ...messages, ...conversation.slice(2)];
    const bookkeeping = { user: 'somebody', store: false, n: 1, frequency_penalty: 0, logit_bias: {} };
    const wanted = { ...greedy, ...bookkeeping, messages: conversation, max_tokens: null, max_completion_tokens: 5 };
    const { usage, choices } = await api.chat.completions.create(wanted);
    expect(usage?.completion_tokens).toBe(5);
    const same = await api.chat.completions.create({ ...greedy, messages: asSystem, max_tokens: 5 });
    expect(same.choices[0]?.message.content).toBe(choices[0]?.message.content);
  });

  it('stops at a text, which is no part of the answer', async () => {
    const { api } = await open();
    const free = (await api.chat.completions.create(greedy)).choices[0]?.message.content as string;
    const stop = free.slice(5, 8);
    const until = free.slice(0, free.indexOf(stop));
    const stopped = await api.chat.completions.create({ ...greedy, stop: ['not there', stop] });
    expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: until } });
    let streamed = '';
    for await (const { choices } of await api.chat.completions.create({ ...greedy, stop, stream: true })) {
      streamed += choices[0]?.delta.content ?? '';
    }
    expect(streamed).toBe(until);
  });

  it('tells logarithmic probabilities, with the likeliest tokens', async () => {
    const { api } = await open();
    const asked = { ...greedy, max_tokens: 5, logprobs: true, top_logprobs: 3 };
    const whole = (await api.chat.completions.create(asked)).choices[0];
    const content = whole?.logprobs?.content ?? [];
    expect(content).toHaveLength(5);
    expect(content.map(({ token }) => token).join('')).toBe(whole?.message.content);
    for (const { token, logprob, bytes, top_logprobs: top } of content) {
      expect(bytes).toEqual([...Buffer.from(token)]);
      expect(top).toHaveLength(3);
      expect(top[0]).toEqual({ token, logprob, bytes });
      expect(logprob).toBeLessThan(0);
    }
    const streamed: unknown[] = [];
    for await (const { choices } of await api.chat.completions.create({ ...asked, stream: true })) {
      streamed.push(...(choices[0]?.logprobs?.content ?? []));
    }
    expect(streamed).toEqual(content);
    const plain = await api.completions.create({ model, prompt: 'ant', temperature: 0, max_tokens: 4, logprobs: 2 });
    const { text, logprobs } = plain.choices[0] as OpenAI.CompletionChoice;
    expect(logprobs?.tokens?.join('')).toBe(text);
    const offsets = logprobs?.tokens?.map((_, i, all) => 3 + all.slice(0, i).join('').length);
    expect(logprobs?.text_offset).toEqual(offsets);
    expect(Object.keys(logprobs?.top_logprobs?.[0] ?? {})).toHaveLength(2);
  });

  it('continues plain text', async () => {
    const { api } = await open();
    const asked = { model, prompt: 'ant bee', temperature: 0, max_tokens: 12 };
    const whole = await api.completions.create(asked);
    expect(whole).toMatchObject({ object: 'text_completion', choices: [{ finish_reason: 'length' }] });
    expect(whole.usage).toEqual({ prompt_tokens: 7, completion_tokens: 12, total_tokens: 19 });
    let streamed = '';
    for await (const { choices } of await api.completions.create({ ...asked, stream: true })) {
      streamed += choices[0]?.text ?? '';
    }
    expect(streamed).toBe(whole.choices[0]?.text);
  });

  it('breaks an answer off whose client is gone', async () => {
    const { api, daemon } = await open();
    const browser = client(daemon, await paired(daemon));
    /** Follows whether the model is answering until it is as wanted. */
    const answering = (wanted: boolean) =>
      new Promise<void>((resolve, reject) => {
        const subscription = browser.api.chat.loaded.subscribe(undefined, {
          onData: ([loaded]) => {
            if (loaded?.answering !== wanted) return;
            subscription.unsubscribe();
            resolve();
          },
          onError: reject,
        });
      });
    await api.chat.completions.create({ ...greedy, max_tokens: 1 });
    const long = { ...greedy, max_tokens: 480 };
    const stream = await api.chat.completions.create({ ...long, stream: true });
    for await (const _ of stream) break;
    await answering(false);
    const given = new AbortController();
    const whole = api.chat.completions.create(long, { signal: given.signal });
    given.abort();
    await expect(whole).rejects.toThrow(/abort/i);
    await answering(false);
    expect((await api.chat.completions.create({ ...greedy, max_tokens: 1 })).usage?.completion_tokens).toBe(1);
  });

  it('refuses what it would have to ignore, by name', async () => {
    const { api, daemon, token } = await open();
    const refusal = async (more: object, path = '/v1/chat/completions') => {
      const answer = await post(daemon, path, { ...greedy, ...more }, { authorization: `Bearer ${token}` });
      const { error } = (await answer.json()) as ErrorBody;
      expect(error.message).not.toBe('');
      return [answer.status, error.type, error.code, error.param];
    };
    const wrong = [400, 'invalid_request_error'];
    expect(await refusal({ temprature: 1 })).toEqual([...wrong, 'unknown_parameter', 'temprature']);
    expect(await refusal({ frequency_penalty: 0.5 })).toEqual([...wrong, 'invalid_value', 'frequency_penalty']);
    expect(await refusal({ top_logprobs: 3 })).toEqual([...wrong, 'invalid_value', 'top_logprobs']);
    expect(await refusal({ stream_options: { include_usage: true } })).toEqual([
      ...wrong,
      'invalid_value',
      'stream_options',
    ]);
    expect(await refusal({ max_completion_tokens: 9 })).toEqual([...wrong, 'invalid_value', 'max_tokens']);
    expect(await refusal({ n: 2 })).toEqual([...wrong, 'invalid_value', 'n']);
    expect(await refusal({ response_format: { type: 'json_object' } })).toEqual([
      ...wrong,
      'invalid_value',
      'response_format',
    ]);
    expect(await refusal({ temperature: 3 })).toEqual([...wrong, 'invalid_value', 'temperature']);
    expect(await refusal({ messages: undefined })).toEqual([...wrong, 'missing_required_parameter', 'messages']);
    const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }];
    expect((await refusal({ messages: image }))[0]).toBe(400);
    expect((await refusal({ messages: [{ role: 'user', content: 'ant', mood: 'good' }] }))[2]).toBe(
      'unknown_parameter',
    );
    const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }];
    expect(await refusal({ tools })).toEqual([...wrong, 'unsupported_parameter', 'tools']);
    expect(await refusal({ tools, tool_choice: 'required' })).toEqual([...wrong, 'invalid_value', 'tool_choice']);
    expect(await refusal({ chat_template_kwargs: { enable_thinking: true } })).toEqual([
      ...wrong,
      'unsupported_parameter',
      'chat_template_kwargs.enable_thinking',
    ]);
    expect(await refusal({ model: 'other' })).toEqual([404, 'invalid_request_error', 'model_not_found', null]);
    expect(await refusal({}, '/v1/embeddings')).toEqual([404, 'invalid_request_error', 'not_found', null]);
    const long = { ...greedy, messages: [{ role: 'user' as const, content: 'ant '.repeat(500) }] };
    await expect(api.chat.completions.create(long)).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    await expect(api.chat.completions.create({ ...long, stream: true })).rejects.toMatchObject({ status: 400 });
  });
});

describe('who may use /v1', () => {
  it('whoever has a token or a session, and nobody else', async () => {
    const { daemon, token, tokens } = await open();
    const status = async (headers: Record<string, string>, path = '/v1/models') =>
      (await fetch(`${daemon.url}${path}`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({}, `/v1/models?api_key=${token}`)).toBe(400); // no address holds a token
    expect(await status({ authorization: `Bearer ${token}` })).toBe(200);
    expect(await status({ authorization: `Bearer ${token}x` })).toBe(401);
    const cookie = await paired(daemon);
    expect(await status({ cookie })).toBe(200);
    const body = { ...greedy, max_tokens: 1 };
    expect((await post(daemon, '/v1/chat/completions', body, { cookie })).status).toBe(401);
    expect((await post(daemon, '/v1/chat/completions', body, { cookie, origin: daemon.url })).status).toBe(200);
    expect((await post(daemon, '/v1/chat/completions', body, { cookie, origin: 'http://evil.example' })).status).toBe(
      403,
    );
    const preflight = await fetch(`${daemon.url}/v1/chat/completions`, { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    const [made] = tokens.list();
    expect(JSON.stringify(made)).not.toContain(token.slice(8));
    await tokens.revoke(made?.id as string);
    expect(await status({ authorization: `Bearer ${token}` })).toBe(401);
  });

  it('whoever runs the agent makes tokens on the command line, which hold until they are revoked there', async () => {
    const { daemon, place } = await open();
    const anneal = annealIn(place.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
    const made = JSON.parse((await anneal('token', 'create', 'open-webui', '--json')).stdout);
    const status = async () => {
      const headers = { authorization: `Bearer ${made.token}` };
      return (await fetch(`${daemon.url}/v1/models`, { headers })).status;
    };
    expect(await status()).toBe(200);
    const { stdout } = await anneal('token', 'list');
    expect(stdout).toContain('open-webui');
    expect(stdout).not.toContain(made.token);
    expect((await anneal('token', 'revoke', made.id)).code).toBe(0);
    expect(await status()).toBe(401);
    const again = await anneal('token', 'revoke', made.id);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('anneal token list') });
  });

  it('wrong tokens are only told to wait after a while, and right ones never', async () => {
    const { daemon, token } = await open();
    const status = async (secret: string) => {
      const answer = await fetch(`${daemon.url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } });
      return [answer.status, answer.headers.get('retry-after')];
    };
    for (let attempt = 0; attempt < 20; attempt++) expect(await status(`anneal_guess${attempt}`)).toEqual([401, null]);
    expect(await status('anneal_guess')).toEqual([429, '60']);
    expect((await status(token))[0]).toBe(200);
  });

  it('bodies that are too large or no JSON are refused in the form of the API', async () => {
    const { daemon, token } = await open();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const send = async (body: string, more = {}) => {
      const answer = await fetch(`${daemon.url}/v1/completions`, {
        method: 'POST',
        body,
        headers: { ...headers, ...more },
      });
      return [answer.status, ((await answer.json()) as ErrorBody).error.code];
    };
    expect(await send('{')).toEqual([400, 'invalid_json']);
    expect(await send('{}', { 'content-type': 'text/plain' })).toEqual([415, 'wrong_content_type']);
    expect(await send(JSON.stringify({ prompt: 'x'.repeat(9 << 20) }))).toEqual([413, 'body_too_large']);
  });
});
