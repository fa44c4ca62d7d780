/** Tools of the Model Context Protocol: a client such as an assistant asks an agent, as far as its token may. */
import { UserError } from '@anneal/core/errors';
import { type Role, reaches } from '@anneal/core/protocol/roles';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Connection } from '../remote/connection.ts';
import { remoteUseCases } from '../remote/useCases.ts';
import type { Tool } from './tool.ts';
import { tools } from './tools.ts';

/** Serves the tools that the role may use; resolves when the client has gone. The agent checks each call as well. */
export async function serveTools(
  connection: Connection,
  { transport, role, version }: { transport: Transport; role: Role; version: string },
): Promise<void> {
  const offered = new Map(tools.filter((tool) => reaches(role, tool.role)).map((tool) => [tool.name, tool]));
  const server = new Server(
    { name: 'anneal', version },
    {
      capabilities: { tools: {} },
      instructions:
        'Anneal fine-tunes language models. Look at recipes and data, estimate what a run would take, train, follow the run, talk to it, export it. ' +
        'Names are those that the listing tools give; "latest" is the newest run.',
    },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...offered.values()].map(described) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const tool = offered.get(params.name);
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `there is no tool ${params.name} for the role ${role}`);
    // oxlint-disable-next-line no-underscore-dangle -- so the protocol calls it
    const token = params._meta?.progressToken;
    let sent = -1;
    const report = (done: number, total: number | undefined, message: string): void => {
      if (token === undefined || done <= sent) return; // the protocol wants it to grow
      sent = done;
      void sendNotification({
        method: 'notifications/progress',
        params: { progressToken: token, progress: done, ...(total !== undefined && { total }), message },
      });
    };
    const ask = remoteUseCases(connection, signal);
    return answered(() => tool.run({ connection, ask, signal, report }, params.arguments ?? {}));
  });
  const closed = new Promise<void>((resolve) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it has no other way
    server.onclose = resolve;
  });
  await server.connect(transport);
  await closed;
}

function described({ name, description, role, request }: Tool) {
  return {
    name,
    description,
    inputSchema: z.toJSONSchema(request, { io: 'input' }) as { type: 'object' },
    annotations: { readOnlyHint: role === 'viewer', openWorldHint: ['models_pull', 'synthesize'].includes(name) },
  };
}

/** What an error says goes to whoever asked, who can do something about it. */
async function answered(run: () => Promise<unknown>): Promise<CallToolResult> {
  try {
    return { content: [{ type: 'text', text: JSON.stringify((await run()) ?? { done: true }) }] };
  } catch (error) {
    const told =
      error instanceof UserError
        ? error.toJSON()
        : error instanceof z.ZodError
          ? { code: 'bad_request', what: z.prettifyError(error) }
          : undefined;
    if (!told) throw error;
    return { content: [{ type: 'text', text: JSON.stringify({ error: told }) }], isError: true };
  }
}
