import type { JsonObject } from '@anneal/formats/json';

/** What transformers takes as a float alone, in any of the architectures here. */
const FLOATS = [
  ...(['rms_norm_eps', 'norm_eps', 'initializer_range', 'router_aux_loss_coef', 'routed_scaling_factor'] as const),
  ...(['attn_logit_softcapping', 'final_logit_softcapping'] as const),
];

const wholeFloat = new RegExp(`^( *"(?:${FLOATS.join('|')})": -?\\d+)(?=,?$)`, 'gm');

/** A config.json. Files have 30.0 where a float is 30, which JSON's numbers do not tell apart and transformers does: it refuses 30. */
export function configText(config: JsonObject): string {
  return `${JSON.stringify(config, null, 2)}\n`.replace(wholeFloat, '$1.0');
}
