/** `anneal mcp`: stdout belongs to the protocol, so that nothing else is printed there. */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import manifest from '../../package.json' with { type: 'json' };
import { serveTools } from '../mcp/server.ts';
import { type RemoteOptions, remoteAddress } from '../remote/address.ts';
import { connect } from '../remote/connection.ts';
import { remark } from '../terminal/print.ts';

export async function serve(options: RemoteOptions): Promise<void> {
  const connection = await connect(remoteAddress(options));
  try {
    const { name, role } = await connection.ask((api) => api.people.me.query());
    remark(`tools of ${connection.address.url.origin} for ${name}, ${role}; the end of stdin ends it`);
    const transport = new StdioServerTransport();
    process.stdin.once('end', () => void transport.close());
    await serveTools(connection, { transport, role, version: manifest.version });
  } finally {
    await connection.close();
  }
}
