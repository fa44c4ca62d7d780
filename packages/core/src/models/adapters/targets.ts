import { createContext, Script } from 'node:vm';
import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import { findName, type NameTable } from '../names.ts';
import { blockLinears } from '../tensors.ts';
import { outerMatrices } from './embeddings.ts';

/** A backtracking pattern from a file may take forever; honest ones take microseconds. */
const PATTERN_TIMEOUT_MS = 1000;

/**
 * The linears an adapter goes on, as our tensor names (`layers.0.q`), in model order. `targets` is what PEFT calls
 * target_modules: `all-linear`, a list of module names or dotted ends of them (`q_proj`, `layers.3.mlp.up_proj`), or
 * one regular expression that must match a module's whole name. `lora_target_linear: true` is `all-linear`: without embedding and output layer, which
 * are to be named.
 * @throws UserError for a target that names no such layer
 */
export function targetedLinears(config: ModelConfig, names: NameTable, targets: string | readonly string[]): string[] {
  if (typeof targets === 'string' && targets.toLowerCase() === 'all-linear') return allLinears(config);
  const linears = [...allLinears(config), ...outerMatrices];
  if (typeof targets === 'string') {
    const modules = linears.map((linear) => moduleName(names, linear));
    const matches = fullMatches(targets, modules);
    const chosen = linears.filter((_, index) => matches[index]);
    if (chosen.length === 0) throw noSuchTarget(targets, config, names);
    return chosen;
  }
  const used = new Set<string>();
  const chosen = linears.filter((linear) => {
    const module = moduleName(names, linear);
    const matching = targets.filter((target) => module === target || module.endsWith(`.${target}`));
    for (const target of matching) used.add(target);
    return matching.length > 0;
  });
  const unused = targets.find((target) => !used.has(target));
  if (unused !== undefined || chosen.length === 0) throw noSuchTarget(unused ?? '(an empty list)', config, names);
  return chosen;
}

/** PEFT's name of one of our linears: `layers.0.q` → `model.layers.0.self_attn.q_proj`. */
export function moduleName(names: NameTable, linear: string): string {
  const name = findName(names, linear);
  if (!name) throw new Error(`${linear} is not a tensor of this architecture`);
  return name.huggingFace.replace(/\.weight$/, '');
}

/** Our name of the linear that PEFT calls `module`, or null where no adapter can go. */
export function linearOfModule(config: ModelConfig, names: NameTable, module: string): string | null {
  const outer = outerMatrices.find((name) => moduleName(names, name) === module);
  if (outer) return outer;
  const layer = Number(/\.(\d+)\./.exec(module)?.[1] ?? Number.NaN);
  if (!(layer < config.layerCount)) return null;
  const candidates = blockLinears(config, layer).map((name) => `layers.${layer}.${name}`);
  return candidates.find((linear) => moduleName(names, linear) === module) ?? null;
}

function allLinears(config: ModelConfig): string[] {
  return Array.from({ length: config.layerCount }, (_, layer) =>
    blockLinears(config, layer).map((name) => `layers.${layer}.${name}`),
  ).flat();
}

function fullMatches(pattern: string, modules: readonly string[]): boolean[] {
  let whole: RegExp;
  try {
    whole = new RegExp(`^(?:${pattern})$`);
  } catch (cause) {
    throw unusablePattern(pattern, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const matches: boolean[] = [];
  const match = (): unknown => modules.forEach((module) => matches.push(whole.test(module)));
  try {
    new Script('match()').runInContext(createContext({ match }), { timeout: PATTERN_TIMEOUT_MS });
  } catch (cause) {
    throw unusablePattern(pattern, `matching takes more than ${PATTERN_TIMEOUT_MS} ms`, cause);
  }
  return matches;
}

function unusablePattern(pattern: string, why: string, cause: unknown): UserError {
  return new UserError({
    what: `the adapter target ${JSON.stringify(pattern)} is no usable regular expression: ${why}`,
    next: 'list module names instead, e.g. [q_proj, v_proj]',
    code: 'adapter_target_invalid',
    cause,
  });
}

function noSuchTarget(target: string, config: ModelConfig, names: NameTable): UserError {
  const known = [...new Set(allLinears(config).map((linear) => moduleName(names, linear).split('.').at(-1)))];
  const outer = outerMatrices.map((name) => moduleName(names, name).split('.').at(-1));
  return new UserError({
    what: `lora_target_modules names ${target}, which is no linear layer of a decoder block, and neither embedding nor output layer`,
    next: `use ${[...known, ...outer].join(', ')}, or lora_target_linear: true in its place${config.experts ? '; experts are named in lora_target_parameters, and routers carry no adapter' : ''}`,
    code: 'adapter_target_unknown',
  });
}
