/**
 * The body of a request, read to its end, whether it says how long it is or comes in chunks. Undefined where it has more bytes than it
 * may. Hono's own limit makes a new Request of the one that the server has made, which fails for chunks.
 */
export async function bodyOf(request: Request, mostBytes: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get('content-length')) > mostBytes) return undefined;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > mostBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
