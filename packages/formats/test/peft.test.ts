import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LoraConfig } from '../src/peft/config.ts';
import { formatLoraConfig } from '../src/peft/config.ts';
import { parameterOfWrapper, wrapperOfParameter } from '../src/peft/experts.ts';
import { parseLoraConfig } from '../src/peft/parseConfig.ts';
import { lookUpPattern } from '../src/peft/pattern.ts';
import { readPeftAdapter } from '../src/peft/read.ts';
import type { LoraModuleToWrite } from '../src/peft/write.ts';
import { writePeftAdapter } from '../src/peft/write.ts';
import type { SafetensorsInfo } from '../src/safetensors/header.ts';
import type { TensorToWrite } from '../src/safetensors/write.ts';
import { writeSafetensors } from '../src/safetensors/write.ts';
import { temporaryFolder, userError } from './helpers.ts';

const folder = temporaryFolder();
/** Saved by PEFT 0.21 (rank 4, all linear layers of a two-layer Llama). */
const savedByPeft = join(import.meta.dirname, 'golden/peft-adapter');

const config: LoraConfig = {
  r: 2,
  loraAlpha: 4,
  useRslora: false,
  useDora: false,
  loraBias: false,
  loraDropout: 0.1,
  bias: 'none',
  modulesToSave: [],
  ensureWeightTying: false,
  targetModules: ['q_proj', 'v_proj'],
  targetParameters: [],
  trainableTokens: [],
  taskType: 'CAUSAL_LM',
  rankPattern: {},
  alphaPattern: {},
  initialization: 'plain',
  baseModel: 'org/model',
  revision: undefined,
};

function matrix(rows: number, columns: number): Omit<TensorToWrite, 'name'> {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
  return { dtype: 'F32', shape: [rows, columns], bytes: () => new Uint8Array(values.buffer) };
}

function module(name: string, rank = 2): LoraModuleToWrite {
  return { name, a: matrix(rank, 3), b: matrix(5, rank) };
}

function peftConfig(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...JSON.parse(readFileSync(join(savedByPeft, 'adapter_config.json'), 'utf8')), ...changes };
}

describe('an adapter saved by PEFT', () => {
  const adapter = readPeftAdapter(savedByPeft);

  it('is read with its modules and scales', () => {
    expect(adapter.config).toMatchObject({ r: 4, loraAlpha: 8, useRslora: false, loraDropout: 0 });
    expect(adapter.modules).toHaveLength(14);
    expect(adapter.modules[0]).toEqual({
      name: 'model.layers.0.mlp.down_proj',
      rank: 4,
      alpha: 8,
      scale: 2,
      experts: 1,
      magnitude: null,
      bias: null,
      a: 'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight',
      b: 'base_model.model.model.layers.0.mlp.down_proj.lora_B.weight',
      inputs: 64,
      outputs: 32,
      isEmbedding: false,
    });
  });

  it('is written back byte for byte, and with the same configuration', async () => {
    const again = join(folder, 'again');
    const copy = (name: string) => {
      const { dtype, shape } = adapter.tensors.tensors.get(name) as SafetensorsInfo;
      return { dtype, shape, bytes: () => adapter.tensors.bytes(name) };
    };
    const modules = adapter.modules.map(({ name, a, b }) => ({ name, a: copy(a), b: copy(b) }));
    await writePeftAdapter(again, adapter.config, modules);
    const [weights, saved] = [again, savedByPeft].map((path) => readFileSync(join(path, 'adapter_model.safetensors')));
    expect(weights).toEqual(saved);
    expect(JSON.parse(readFileSync(join(again, 'adapter_config.json'), 'utf8'))).toEqual(peftConfig());
  });
});

describe('configuration', () => {
  it.each([
    [{ trainable_token_indices: { lm_head: [1, 2] } }, 'trainable_token_indices'],
    [{ fan_in_fan_out: true }, 'fan_in_fan_out'],
    [{ layer_replication: [[0, 4]] }, 'layer_replication'],
    [{ target_parameters: ['experts.router'] }, 'target_parameters'],
    [{ init_lora_weights: 'pissa_niter_4' }, 'init_lora_weights'],
    [{ init_lora_weights: 'olora' }, 'init_lora_weights'],
    [{ init_lora_weights: 'pissa', use_dora: true }, 'init_lora_weights'],
    [{ init_lora_weights: 'pissa', lora_bias: true }, 'init_lora_weights'],
    [{ init_lora_weights: 'loftq', loftq_config: { loftq_bits: 4, loftq_iter: 5 } }, 'loftq_config'],
    [{ init_lora_weights: 'loftq', loftq_config: { loftq_bits: 2 } }, 'loftq_config'],
    [{ peft_type: 'IA3' }, 'peft_type'],
    [{ use_qalora: true }, 'use_qalora'],
    [{ a_field_of_tomorrow: 'on' }, 'a_field_of_tomorrow'],
  ])('%j cannot be honored', (changes, field) => {
    const error = userError(() => parseLoraConfig(peftConfig(changes), 'adapter_config.json'));
    expect(error).toMatchObject({ code: 'adapter_field_unsupported', where: 'adapter_config.json' });
    expect(error.what).toContain(field);
  });

  it.each([
    [{ peft_type: 'IA3' }, 'merge_and_unload'],
    [{ peft_type: 'OFT' }, 'merge_and_unload'],
    [{ peft_type: 'PREFIX_TUNING' }, 'with PEFT itself'],
    [{ peft_type: 'PROMPT_TUNING' }, 'with PEFT itself'],
    [{ peft_type: 'P_TUNING' }, 'with PEFT itself'],
    [{ peft_type: 'CPT' }, 'with PEFT itself'],
    [{ alora_invocation_tokens: [1, 2] }, 'with PEFT itself'],
    [{ layer_replication: [[0, 4]] }, 'with PEFT itself'],
    [{ arrow_config: { top_k: 2 } }, 'with PEFT itself'],
  ])('%j is told to be merged only where PEFT can', (changes, advice) => {
    const { next } = userError(() => parseLoraConfig(peftConfig(changes), 'adapter_config.json'));
    expect(next).toContain(advice);
  });

  it.each([
    [{ r: 0 }, 'r should be'],
    [{ peft_type: undefined }, 'peft_type should be the kind of adapter, as "LORA", but is missing'],
    [{ r: 2.5 }, 'r should be'],
    [{ lora_alpha: '16' }, 'lora_alpha should be'],
    [{ lora_alpha: 1e308 }, 'lora_alpha should be a number that float32 can hold'],
    [{ alpha_pattern: { q_proj: 1e-320 } }, 'alpha_pattern.q_proj should be a number that float32 can hold'],
    [{ lora_dropout: 2 }, 'lora_dropout should be from 0 to 1'],
    [{ task_type: 'SEQ_2_SEQ_LM' }, 'task_type is "SEQ_2_SEQ_LM"'],
    [{ use_rslora: 1 }, 'use_rslora should be'],
    [{ target_modules: 7 }, 'target_modules should be'],
    [{ lora_bias: 1 }, 'lora_bias should be'],
    [{ target_parameters: 'gate_up_proj' }, 'target_parameters should be'],
    [{ trainable_token_indices: [1, 1] }, 'trainable_token_indices should be'],
    [{ trainable_token_indices: { embed_tokens: 1 } }, 'trainable_token_indices should be'],
    [{ bias: 'some' }, 'bias should be none, all, lora_only'],
    [{ modules_to_save: [7] }, 'modules_to_save should be'],
    [{ ensure_weight_tying: 'yes' }, 'ensure_weight_tying should be'],
    [{ rank_pattern: { q_proj: -1 } }, 'rank_pattern.q_proj should be'],
  ])('%j is wrong', (changes, message) => {
    expect(userError(() => parseLoraConfig(peftConfig(changes), 'x')).what).toContain(message);
  });

  it.each(['all-linear', '.*\\.self_attn\\.(q|v)_proj', ['q_proj']])('target_modules may be %j', (targetModules) => {
    expect(parseLoraConfig(peftConfig({ target_modules: targetModules }), 'x').targetModules).toEqual(targetModules);
  });

  it('survives writing and reading', () => {
    const full: LoraConfig = {
      ...config,
      useRslora: true,
      loraBias: true,
      bias: 'lora_only',
      modulesToSave: ['lm_head'],
      ensureWeightTying: true,
      targetParameters: ['experts.down_proj'],
      trainableTokens: [42, 7],
      rankPattern: { q_proj: 8 },
      alphaPattern: { 'layers.1.v_proj': 3 },
    };
    expect(parseLoraConfig(formatLoraConfig(full), 'x')).toEqual(full);
  });
});

describe('rank and alpha patterns', () => {
  it.each([
    ['q_proj', true],
    ['self_attn.q_proj', true],
    ['proj', false],
    ['layers.1.self_attn.q_proj', true],
    ['layers.\\d+.self_attn.q_proj', true],
    ['layers.[0-3].*.(q|v)_proj', true],
    ['layers.2.*', false],
  ])('%s fits model.layers.1.self_attn.q_proj: %s', (pattern, fits) => {
    expect(lookUpPattern({ [pattern]: 8 }, 'model.layers.1.self_attn.q_proj')).toBe(fits ? 8 : undefined);
  });

  it.each(['(a+)+$', '(a|a)*b', '(?=x)', '.*.*.*.*x', '(', '\\1', 'a'.repeat(5000)])(
    '%s is not evaluated',
    (pattern) => {
      const error = userError(() => parseLoraConfig(peftConfig({ rank_pattern: { [pattern]: 8 } }), 'x'));
      expect(error.code).toBe('adapter_pattern_unsupported');
    },
  );

  it('give a module its own rank and scale', async () => {
    const path = join(folder, 'patterns');
    const rslora: LoraConfig = { ...config, useRslora: true, rankPattern: { q_proj: 4 }, alphaPattern: { q_proj: 6 } };
    await writePeftAdapter(path, rslora, [module('m.q_proj', 4), module('m.v_proj')]);
    const { modules, tensors } = readPeftAdapter(path);
    expect(modules).toMatchObject([
      { name: 'm.q_proj', rank: 4, alpha: 6, scale: 3, inputs: 3, outputs: 5 },
      { name: 'm.v_proj', rank: 2, alpha: 4, scale: 4 / Math.SQRT2 },
    ]);
    tensors.close();
  });
});

describe('tensors that were trained in full', () => {
  it('are called as PEFT calls them, and found again by their names in the base', async () => {
    const path = join(folder, 'full');
    const full = [
      { ...matrix(4, 3), name: 'lm_head.weight', besideAdapter: false },
      { ...matrix(1, 5), name: 'm.q_proj.bias', besideAdapter: true },
      { ...matrix(1, 3), name: 'm.k_proj.bias', besideAdapter: false },
    ];
    await writePeftAdapter(path, { ...config, bias: 'all', modulesToSave: ['lm_head'] }, [module('m.q_proj')], full);
    const { full: found, modules, tensors } = readPeftAdapter(path);
    tensors.close();
    expect(modules).toHaveLength(1);
    expect(new Map(found.map(({ name, tensor }) => [name, tensor]))).toEqual(
      new Map([
        ['lm_head.weight', 'base_model.model.lm_head.weight'],
        ['m.q_proj.bias', 'base_model.model.m.q_proj.base_layer.bias'],
        ['m.k_proj.bias', 'base_model.model.m.k_proj.bias'],
      ]),
    );
  });
});

function parametersOf(targets: string[], ...wrappers: string[]) {
  return wrappers.map((wrapper) => parameterOfWrapper(wrapper, targets));
}

describe('adapters on experts', () => {
  it('are wrapped innermost first, as far as they are targeted', () => {
    const both = ['gate_up_proj', 'experts.down_proj'];
    expect(parametersOf(both, 'm.experts', 'm.experts.base_layer')).toEqual([
      'm.experts.down_proj',
      'm.experts.gate_up_proj',
    ]);
    expect(parametersOf(['gate_up_proj'], 'm.experts', 'm.experts.base_layer')).toEqual([
      'm.experts.gate_up_proj',
      null,
    ]);
    expect(parametersOf(['down_proj'], 'm.down_proj', 'm.experts')).toEqual([null, 'm.experts.down_proj']);
    expect(parametersOf(['n.experts.down_proj'], 'm.experts', 'n.experts')).toEqual([null, 'n.experts.down_proj']);
    expect(wrapperOfParameter('m.experts.gate_up_proj', both)).toBe('m.experts.base_layer');
    expect(wrapperOfParameter('m.experts.down_proj', both)).toBe('m.experts');
    expect(wrapperOfParameter('m.experts.gate_up_proj', ['gate_up_proj'])).toBe('m.experts');
  });

  it('are read with as many matrices as their rank says', async () => {
    const path = join(folder, 'experts');
    const onExperts = { ...config, targetParameters: ['gate_up_proj', 'down_proj'], rankPattern: { gate_up_proj: 4 } };
    const wide = { name: 'm.experts.base_layer', a: matrix(12, 3), b: matrix(5, 12) };
    const narrow = { name: 'm.experts', a: matrix(6, 5), b: matrix(3, 6) };
    await writePeftAdapter(path, onExperts, [wide, narrow]);
    const { modules, tensors } = readPeftAdapter(path);
    tensors.close();
    expect(modules).toMatchObject([
      { name: 'm.experts.gate_up_proj', experts: 3, rank: 4, inputs: 3, outputs: 5 },
      { name: 'm.experts.down_proj', experts: 3, rank: 2, inputs: 5, outputs: 3 },
    ]);
    await writePeftAdapter(path, onExperts, [wide, { ...narrow, b: matrix(3, 4) }]);
    expect(userError(() => readPeftAdapter(path)).what).toContain('has 6 rows in lora_A and 4 columns in lora_B');
    await writePeftAdapter(path, config, [narrow]);
    expect(userError(() => readPeftAdapter(path)).what).toContain('target_parameters does not name');
  });
});

describe('trained rows of the embedding', () => {
  const rows = { ...matrix(2, 3), name: 'm.embed_tokens' };
  const onTokens = { ...config, trainableTokens: [42, 7] };

  it('are called as PEFT calls them, listed or by the name of the embedding', async () => {
    const path = join(folder, 'tokens');
    await writePeftAdapter(path, onTokens, [module('m.q_proj')], [], rows);
    const { tokens, modules, tensors } = readPeftAdapter(path);
    tensors.close();
    const tensor = 'base_model.model.m.embed_tokens.token_adapter.trainable_tokens_delta';
    expect(tokens).toEqual({ ids: [42, 7], name: 'm.embed_tokens', width: 3, tensor });
    expect(modules).toHaveLength(1);
    const byName = { trainable_token_indices: { 'model.embed_tokens': [42, 7] } };
    expect(parseLoraConfig(peftConfig(byName), 'x').trainableTokens).toEqual([42, 7]);
  });

  it.each([
    ['are as many as the tokens', { ...onTokens, trainableTokens: [42] }, rows, 'names 1 tokens, and it has no rows'],
    ['are there', onTokens, null, 'names 2 tokens, and it has no rows'],
    ['are asked for', config, rows, 'trainable_token_indices names none'],
  ] as const)('are refused unless they %s', async (name, asked, given, message) => {
    const path = join(folder, `tokens that ${name}`);
    await writePeftAdapter(path, asked, [module('m.q_proj')], [], given);
    expect(userError(() => readPeftAdapter(path)).what).toContain(message);
  });
});

describe('biases of lora_B', () => {
  it('are called as PEFT calls them', async () => {
    const path = join(folder, 'biases');
    await writePeftAdapter(path, { ...config, loraBias: true }, [
      { ...module('m.q_proj'), bias: { ...matrix(1, 5), shape: [5] } },
    ]);
    const { modules, full, tensors } = readPeftAdapter(path);
    tensors.close();
    expect(modules).toMatchObject([{ name: 'm.q_proj', bias: 'base_model.model.m.q_proj.lora_B.bias' }]);
    expect(full).toEqual([]);
  });
});

describe('a folder is refused', () => {
  const prefix = 'base_model.model.m.q_proj';
  const a = { ...matrix(2, 3), name: `${prefix}.lora_A.weight` };
  const b = { ...matrix(5, 2), name: `${prefix}.lora_B.weight` };

  it.each([
    ['without lora_B', [a], `the tensor ${b.name} is missing`],
    ['with another rank', [{ ...a, ...matrix(4, 3) }, b], 'has rank 4 in lora_A and 2 in lora_B'],
    ['with DoRA', [a, b, { ...matrix(1, 5), name: `${prefix}.lora_magnitude_vector` }], 'DoRA'],
    ['with a bias', [a, b, { ...matrix(1, 5), name: `${prefix}.lora_B.bias` }], 'lora_bias is not true'],
    ['with half an embedding', [{ ...a, name: `${prefix}.lora_embedding_A` }], 'lora_embedding_B is missing'],
    ['with a whole layer', [a, b, { ...matrix(2, 2), name: 'base_model.model.m.up.weight' }], 'is not the lora_A'],
    ['with a convolution', [{ ...a, shape: [2, 3, 1] }, b], 'not a matrix'],
    ['with integers', [{ ...a, dtype: 'I32' as const }, b], 'not a matrix'],
    ['with nothing', [], 'holds no LoRA weights'],
  ])('%s', async (name, tensors, message) => {
    const path = join(folder, name);
    await writePeftAdapter(path, config, []);
    await writeSafetensors(join(path, 'adapter_model.safetensors'), tensors);
    expect(userError(() => readPeftAdapter(path)).what).toContain(message);
  });

  it.each([
    ['is missing', [a, b], 'lora_magnitude_vector is missing'],
    ['has another length', [a, b, { ...matrix(1, 4), shape: [4], name: `${prefix}.lora_magnitude_vector` }], 'not [5]'],
  ])('whose magnitude %s', async (name, tensors, message) => {
    const path = join(folder, name);
    await writePeftAdapter(path, { ...config, useDora: true }, []);
    await writeSafetensors(join(path, 'adapter_model.safetensors'), tensors);
    expect(userError(() => readPeftAdapter(path)).what).toContain(message);
  });

  it.each([
    ['adapts what it does not name', { targetModules: ['v_proj'] }, 'target_modules does not name'],
    ['has no head for its scores', { taskType: 'SEQ_CLS' as const }, 'no head of scores'],
  ])('whose configuration %s', async (name, changes, message) => {
    const path = join(folder, name);
    await writePeftAdapter(path, { ...config, ...changes }, []);
    await writeSafetensors(join(path, 'adapter_model.safetensors'), [a, b]);
    expect(userError(() => readPeftAdapter(path)).what).toContain(message);
  });

  it('whose bias of lora_B is missing', async () => {
    const path = join(folder, 'no bias');
    await writePeftAdapter(path, { ...config, loraBias: true }, [module('m.q_proj')]);
    expect(userError(() => readPeftAdapter(path)).what).toContain(
      `lora_bias is true, and the tensor ${prefix}.lora_B.bias`,
    );
  });

  it.each([
    ['names a module without a weight', {}, [], 'modules_to_save names lm_head, of which it holds no weight'],
    [
      'is of integers',
      {},
      [{ ...matrix(2, 2), dtype: 'I32' as const, name: 'base_model.model.lm_head.weight' }],
      'is I32',
    ],
    [
      'has a bias that is not asked for',
      { modulesToSave: [] },
      [{ ...matrix(1, 5), name: `${prefix}.base_layer.bias` }],
      'is not the lora_A',
    ],
  ])('whose part that was trained in full %s', async (name, changes, tensors, message) => {
    const path = join(folder, name);
    await writePeftAdapter(path, { ...config, modulesToSave: ['lm_head'], ...changes }, []);
    await writeSafetensors(join(path, 'adapter_model.safetensors'), [a, b, ...tensors]);
    expect(userError(() => readPeftAdapter(path)).what).toContain(message);
  });

  it('that is not there or incomplete', () => {
    expect(userError(() => readPeftAdapter(join(folder, 'nowhere'))).what).toContain('no such folder');
    for (const missing of ['adapter_config.json', 'adapter_model.safetensors']) {
      const path = join(folder, `without ${missing}`);
      cpSync(savedByPeft, path, { recursive: true });
      rmSync(join(path, missing));
      expect(userError(() => readPeftAdapter(path)).what).toContain(`no ${missing}`);
    }
  });

  it('that holds a pickle', () => {
    const path = join(folder, 'pickle');
    mkdirSync(path);
    cpSync(join(savedByPeft, 'adapter_config.json'), join(path, 'adapter_config.json'));
    writeFileSync(join(path, 'adapter_model.bin'), '');
    expect(userError(() => readPeftAdapter(path)).code).toBe('pickle_checkpoint');
  });
});
