/**
 * Adapters on matrices that hold those of all experts of a layer, which PEFT calls target_parameters. It wraps the module of the experts
 * once for each of them, in the order in which transformers defines them: the first one is the innermost.
 */
export const EXPERT_PARAMETERS = ['gate_up_proj', 'down_proj'] as const;

/** `a.experts.base_layer` → `a.experts.gate_up_proj`: what a wrapper's adapter is on; null where `targets` name nothing of the kind. */
export function parameterOfWrapper(wrapper: string, targets: readonly string[]): string | null {
  const [, module = null, layers = ''] = /^(.*\.experts)((?:\.base_layer)*)$/.exec(wrapper) ?? [];
  if (module === null) return null;
  return parametersOf(module, targets).toReversed()[layers.length / BASE_LAYER.length] ?? null;
}

/** The other way. @param parameter one that `targets` name */
export function wrapperOfParameter(parameter: string, targets: readonly string[]): string {
  const module = parameter.slice(0, parameter.lastIndexOf('.'));
  return module + BASE_LAYER.repeat(parametersOf(module, targets).toReversed().indexOf(parameter));
}

const BASE_LAYER = '.base_layer';

function parametersOf(module: string, targets: readonly string[]): string[] {
  return EXPERT_PARAMETERS.map((parameter) => `${module}.${parameter}`).filter((name) =>
    targets.some((target) => name === target || name.endsWith(`.${target}`)),
  );
}
