import type { JsonObject } from '@anneal/formats/json';

/** What transformers takes as a float alone, in any of the architectures here. */
const FLOATS = [
  ...(['rms_norm_eps', 'norm_eps', 'initializer_range', 'router_aux_loss_coef', 'routed_scaling_factor'] as const),
  ...(['attn_logit_softcapping', 'final_logit_softcapping', 'altup_coef_clip'] as const),
];

/** And what as a list of floats. */
const FLOAT_LISTS = ['activation_sparsity_pattern', 'time_step_limit'] as const;

const wholeFloat = new RegExp(`^( *"(?:${FLOATS.join('|')})": -?\\d+)(?=,?$)`, 'gm');
const floatList = new RegExp(`^ *"(?:${FLOAT_LISTS.join('|')})": \\[[^\\]]*\\]`, 'gm');

/** A config.json. Files have 30.0 where a float is 30, which JSON's numbers do not tell apart and transformers does: it refuses 30. */
export function configText(config: JsonObject): string {
  return `${JSON.stringify(config, null, 2)}\n`
    .replace(wholeFloat, '$1.0')
    .replace(floatList, (list) => list.replace(/^( *-?\d+)(?=,?$)/gm, '$1.0'));
}
