import type { JsonObject } from '@anneal/formats/json';
import { architectureOf, readConfig } from '../models/index.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { expectedTensors } from '../models/tensors.ts';
import { random } from '../random.ts';
import publishedShapes from './shapes.json' with { type: 'json' };

/** Published models by their config.json: what a benchmark needs of them, no file. */
export const shapes: Readonly<Record<string, JsonObject>> = publishedShapes;

/** Standard deviation of the weights, as transformers starts its models. */
const spread = 0.02;
const blockValues = 1 << 20;

/** A model of that shape with random weights in bfloat16, norms of 1: its speed is that of the published one. */
export function randomModel(shape: string): OpenModel {
  return randomModelOf(shape, shapes[shape] as JsonObject);
}

/** The same for any config.json. */
export function randomModelOf(name: string, configJson: JsonObject): OpenModel {
  const config = readConfig(configJson, null, name);
  const block = normals();
  const ones = new Uint16Array(1 << 15).fill(0x3f80);
  const tensors = [...expectedTensors(config)].map(([tensorName, extents]): [string, ModelTensor] => {
    const columns = extents.slice(1).reduce((product, extent) => product * extent, 1);
    const pattern = extents.length === 1 ? ones : block;
    const tensor: ModelTensor = {
      name: tensorName,
      shape: extents,
      dtype: 'BF16',
      rowGroup: 1,
      source: () => ({ type: 'bf16', pattern: new Uint8Array(pattern.buffer) }),
      bytes: ({ first, count } = { first: 0, count: extents[0] as number }) => {
        const values = Uint16Array.from({ length: count * columns }, (_, i) => {
          return pattern[(first * columns + i) % pattern.length] as number;
        });
        return new Uint8Array(values.buffer);
      },
      float32: () => {
        throw new Error('random weights are read as they are');
      },
    };
    return [tensorName, tensor];
  });
  return {
    path: name,
    format: 'huggingface',
    architecture: architectureOf(config.architecture, name),
    config,
    configJson,
    generationConfig: null,
    tensors: new Map(tensors),
    isNested: false,
    leftOut: [],
    tokenizerFiles: [],
    readTokenizerFile: () => new Uint8Array(0),
    chatTemplates: null,
    files: [],
    close: () => undefined,
  };
}

function normals(): Uint16Array {
  const { uint32 } = random('bench weights', 1);
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  return Uint16Array.from({ length: blockValues }, () => {
    // The sum of four uniform numbers is close enough to a normal one.
    const sum = uint32() + uint32() + uint32() + uint32();
    value[0] = (sum / 2 ** 32 - 2) * Math.sqrt(3) * spread;
    return (bits[0] as number) >>> 16;
  });
}
