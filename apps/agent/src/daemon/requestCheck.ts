/** Which requests are looked at at all: those that a browser sends from our own page, under a name that is ours. */
import type { IncomingMessage } from 'node:http';

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export class RequestCheck {
  readonly #names: ReadonlySet<string>;
  readonly #schemes: readonly string[];

  /**
   * @param names under which the agent may be called, beside those of this machine
   * @param secure it speaks TLS itself. Where it does not, a proxy before it may.
   */
  constructor(names: readonly string[], { secure }: { secure: boolean }) {
    this.#schemes = secure ? ['https:'] : ['http:', 'https:'];
    this.#names = new Set([...loopbackNames, ...names.map((name) => name.toLowerCase())]);
  }

  /**
   * Why the request is refused; undefined when it is not. The name in `Host` has to be ours, or a foreign page could
   * reach us through a name that it lets point at this machine (DNS rebinding). The port may be any: a tunnel
   * (`ssh -L`) has its own. Where there is an `Origin` it has to be this very page.
   */
  refusal({ headers, headersDistinct }: Pick<IncomingMessage, 'headers' | 'headersDistinct'>): string | undefined {
    const { host, origin } = headers;
    if (host === undefined) return 'it has no Host';
    // A proxy before the agent may go by another one than we do.
    if (headersDistinct['host']?.length !== 1) return 'it has more than one Host';
    const name = host.toLowerCase().replace(/:\d+$/, '');
    if (!this.#names.has(name)) return `its Host is "${host}": allow it with --allow-host ${name}`;
    if (!URL.canParse(`http://${host}`)) return `its Host is "${host}", which has no port that there can be`;
    if (origin === undefined || this.#isOwn(origin, host)) return undefined;
    return `its Origin is "${origin}", and only pages of "${host}" may ask${this.#schemes.length === 1 ? ', over https' : ''}`;
  }

  #isOwn(origin: string, host: string): boolean {
    if (!URL.canParse(origin)) return false;
    const page = new URL(origin);
    // The scheme says which port it is where none is named.
    return this.#schemes.includes(page.protocol) && page.host === new URL(`${page.protocol}//${host}`).host;
  }
}
