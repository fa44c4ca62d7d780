/** An OpenAI-compatible endpoint for tests: its answer follows from what it is asked, as far as a test does not say otherwise. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly model: string;
  readonly seed: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [parameter: string]: unknown;
}

/** Writes the response itself, or leaves it to the stand-in by returning false. */
export type Behavior = (asked: Asked, response: ServerResponse, tries: number) => boolean | undefined;

export interface EndpointStandIn {
  readonly url: string;
  /** What was asked, in the order it came. */
  readonly asked: Asked[];
  /** How often each question was answered with status 200. */
  readonly answered: Map<string, number>;
  readonly headers: IncomingMessage['headers'][];
  /** Requests that were under way at the same time, at most. */
  readonly mostAtOnce: () => number;
}

/** @param content the text of the answer to what stands after `Text:` */
export async function standIn(
  content: (text: string, asked: Asked) => string = pairsAbout,
  behavior: Behavior = () => false,
): Promise<EndpointStandIn> {
  const asked: Asked[] = [];
  const answered = new Map<string, number>();
  const headers: IncomingMessage['headers'][] = [];
  const tries = new Map<string, number>();
  let atOnce = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++atOnce);
    response.once('close', () => atOnce--);
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const question = JSON.parse(body) as Asked;
    const text = question.messages.at(-1)?.content ?? '';
    asked.push(question);
    headers.push(request.headers);
    tries.set(text, (tries.get(text) ?? 0) + 1);
    if (behavior(question, response, tries.get(text) ?? 0)) return;
    const about = text.slice(text.indexOf('Text:') + 'Text:'.length).trim();
    answered.set(text, (answered.get(text) ?? 0) + 1);
    reply(response, content(about, question), question);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, asked, answered, headers, mostAtOnce: () => most };
}

/** Two pairs whose words are those of the text, so that other texts have other pairs. */
export function pairsAbout(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ');
  return JSON.stringify([
    { question: `What is said at first of ${words.slice(0, 60)}?`, answer: `At first ${words.slice(0, 200)}` },
    { question: `How does it end with ${words.slice(-60)}?`, answer: `In the end ${words.slice(-200)}` },
  ]);
}

export function reply(
  response: ServerResponse,
  content: string,
  { model }: Pick<Asked, 'model'>,
  finish = 'stop',
): void {
  const message = { role: 'assistant', content };
  const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };
  send(response, 200, { model, choices: [{ index: 0, finish_reason: finish, message }], usage });
}

export function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
