/** A reverse proxy in front of an agent, as JupyterHub's is: below a path, which it takes off, and under a name of its own. */
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export class Proxy {
  readonly #path: string;
  readonly #port: number;
  readonly #open = new Set<Socket>();
  #isCut = false;
  readonly #server = createServer((incoming, answer) => {
    if (!incoming.url?.startsWith(this.#path)) return void answer.writeHead(404).end('of the proxy');
    const onward = request({ port: this.#port, host: '127.0.0.1', ...this.#askedOf(incoming) }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => incoming.destroy());
    incoming.pipe(onward);
  });

  /** @param agentUrl where it listens. @param path below which the agent is shown */
  constructor(agentUrl: string, path: string) {
    this.#port = Number(new URL(agentUrl).port);
    this.#path = path;
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('upgrade', (incoming: IncomingMessage, client: Socket, head: Buffer) =>
      this.#tunnel(incoming, client, head),
    );
  }

  /** @returns the address of the studio, as the address bar shows it */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://localhost:${(this.#server.address() as AddressInfo).port}${this.#path}`;
  }

  /** The network is gone: what is open breaks off, and nothing new is answered. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#isCut) return void socket.destroy();
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  #askedOf({ method, url = '', headers }: IncomingMessage) {
    return { method, path: url.slice(this.#path.length) || '/', headers };
  }

  #tunnel(incoming: IncomingMessage, client: Socket, head: Buffer): void {
    const { method, path, headers } = this.#askedOf(incoming);
    const onward = connect(this.#port, '127.0.0.1', () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      onward.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    this.#keep(onward);
    client.once('close', () => onward.destroy());
    onward.once('close', () => client.destroy());
  }
}
