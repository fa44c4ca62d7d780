import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

/**
 * A file on the disk, or a range of it, as the hub's client and `fetch` take contents: read when it is sent, never held. It
 * counts what is read of it, which is what was sent but for a socket's buffer.
 */
export class FilePart extends Blob {
  /** `name` in the repository, `path` on the disk. */
  readonly file: { readonly name: string; readonly path: string };
  override readonly size: number;
  readonly #start: number;
  readonly #end: number;
  readonly #onRead: (bytes: number) => void;

  /** @param end exclusive */
  constructor(file: FilePart['file'], start: number, end: number, onRead: (bytes: number) => void = () => undefined) {
    super([]);
    this.file = file;
    this.#start = start;
    this.#end = end;
    this.size = end - start;
    this.#onRead = onRead;
  }

  /** The same bytes, of which `onRead` is told the number of each piece. */
  counted(onRead: (bytes: number) => void): FilePart {
    return new FilePart(this.file, this.#start, this.#end, onRead);
  }

  override slice(start = 0, end = this.size): FilePart {
    const from = Math.min(this.#start + start, this.#end);
    return new FilePart(this.file, from, Math.max(from, Math.min(this.#start + end, this.#end)));
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.size === 0) return new Blob([]).stream();
    const file = createReadStream(this.file.path, { start: this.#start, end: this.#end - 1, highWaterMark: 256 << 10 });
    const count = this.#onRead;
    const counting = async function* () {
      for await (const piece of file) {
        count((piece as Buffer).length);
        yield piece as Uint8Array<ArrayBuffer>;
      }
    };
    return Readable.toWeb(Readable.from(counting(), { objectMode: false })) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return new Response(this.stream()).arrayBuffer();
  }

  override async text(): Promise<string> {
    return Buffer.from(await this.arrayBuffer()).toString();
  }
}
