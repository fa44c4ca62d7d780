import type { Plan } from './plan.ts';
import { byteLength, type Dim, dtypes, runtimeDims, type Tensor } from './tensor.ts';

/** Changes whenever the layout below does; native/plan.cpp refuses others. */
export const planVersion = 6;

/**
 * The plan as little-endian bytes: strings are a u32 length and UTF-8, offsets and sizes f64 (exact below 2^53),
 * tensors dtype, rank and extents as i32, a runtime extent as -1 - its index, a tile as below all of these - its index; the last four bytes are a checksum of all others.
 * Read by native/plan.cpp.
 */
export function encodePlan(plan: Omit<Plan, 'encode'>): Uint8Array {
  const out = new Writer();
  out.i32(planVersion);
  out.f64(plan.memory.total);
  out.f64(plan.memory.host);
  out.f64(plan.scratch.offset);
  out.f64(plan.scratch.bytesPerThread);
  out.i32(plan.scratch.threads);
  for (const dim of runtimeDims) out.i32(plan.bounds[dim] ?? 0);
  out.i32(plan.tileRows);

  const place = (name: string, tensor: Tensor, offset: number) => {
    out.string(name);
    out.f64(offset);
    out.f64(byteLength(tensor, plan.bounds));
    out.i32(dtypes.indexOf(tensor.dtype));
  };
  out.i32(plan.variables.size);
  for (const [name, { tensor, offset }] of plan.variables) place(name, tensor, offset);

  out.i32(plan.programs.length);
  for (const program of plan.programs) {
    out.string(program.name);
    out.i32(program.inputs.size);
    for (const [name, { tensor, offset }] of program.inputs) place(name, tensor, offset);
    out.i32(program.results.size);
    for (const [name, { tensor, offset }] of program.results) place(name, tensor, offset);
    out.i32(program.launches.length);
    for (const { node, offsets, workspaceOffset, workspaceBytes, order } of program.launches) {
      out.string(node.op.name);
      out.i32(node.op.attributes.length);
      for (const name of node.op.attributes) out.f64(node.attributes[name] as number);
      const tensor = (t: Tensor | undefined) => {
        out.i32(t ? dtypes.indexOf(t.dtype) : -1);
        if (!t) return;
        out.f64(offsets.get(t) as number);
        out.i32(t.shape.length);
        for (const dim of t.shape) out.i32(encodeDim(dim));
      };
      out.i32(node.op.inputs.size);
      for (const name of node.op.inputs.keys()) tensor(node.inputs[name]);
      out.i32(node.op.outputs.size);
      for (const name of node.op.outputs.keys()) tensor(node.outputs[name]);
      out.f64(workspaceOffset);
      out.f64(workspaceBytes);
      out.i32(order.beside ? 1 : 0);
      out.i32(order.after);
    }
  }
  return out.finish();
}

function encodeDim(dim: Dim): number {
  if (typeof dim === 'object') return -1 - runtimeDims.length - dim.index;
  return typeof dim === 'number' ? dim : -1 - runtimeDims.indexOf(dim);
}

class Writer {
  private bytes = new Uint8Array(1 << 16);
  private length = 0;

  private reserve(count: number): DataView {
    if (this.length + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    const view = new DataView(this.bytes.buffer, this.length, count);
    this.length += count;
    return view;
  }

  i32(value: number): void {
    this.reserve(4).setInt32(0, value, true);
  }

  f64(value: number): void {
    this.reserve(8).setFloat64(0, value, true);
  }

  string(value: string): void {
    const utf8 = new TextEncoder().encode(value);
    this.i32(utf8.length);
    this.reserve(utf8.length);
    this.bytes.set(utf8, this.length - utf8.length);
  }

  finish(): Uint8Array {
    this.i32(checksum(this.bytes.subarray(0, this.length)));
    return this.bytes.slice(0, this.length);
  }
}

/** FNV-1a. */
export function checksum(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5 | 0);
}
