import {
  type Account,
  becomes,
  cannot,
  elsewhere,
  type Input,
  imply,
  isOff,
  missing,
  nothing,
  type Rule,
  type Rules,
  shown,
} from './translate.ts';

/** The losses of `stage: dpo`, in our words. `kto_pair` has none. */
const losses: Readonly<Record<string, Input>> = {
  sigmoid: { rl: 'dpo', dpo_loss_type: 'sigmoid' },
  hinge: { rl: 'dpo', dpo_loss_type: 'hinge' },
  ipo: { rl: 'ipo' },
  orpo: { rl: 'orpo' },
  simpo: { rl: 'simpo' },
};

/** Our `rl` for a stage, undefined where nothing is preferred. A recipe of ours may hold one of these keys beside its `rl`. */
export function preferenceKind(input: Input): string | undefined {
  if (input['stage'] === 'kto') return 'kto';
  if (input['stage'] === 'rm') return 'reward';
  if (input['stage'] === 'dpo') return losses[lossOf(input)]?.['rl'] as string | undefined;
  return typeof input['rl'] === 'string' ? input['rl'] : undefined;
}

/** Which loss `stage: dpo` asks for. */
export function lossOf(input: Input): string {
  return String(input['pref_loss'] ?? 'sigmoid');
}

export const hasPreferenceLoss = (input: Input): boolean => Object.hasOwn(losses, lossOf(input));

/** A rule of supervised training, with the reason why preferences go without it. */
export const unlessPreferred =
  (reason: string, rule: Rule): Rule =>
  (value, input) =>
    preferenceKind(input) === undefined ? rule(value, input) : nothing(reason);

/** A number under the name that it has with each `rl`; the others do not read it. */
const named =
  (names: Readonly<Record<string, string>>, note?: string): Rule =>
  (value, input) => {
    const kind = preferenceKind(input);
    const name = kind !== undefined && Object.hasOwn(names, kind) ? names[kind] : undefined;
    if (name !== undefined) return becomes({ [name]: value }, note);
    const idle = `has no effect with ${kind ? `rl: ${kind}` : 'supervised training'}, in LLaMA-Factory neither`;
    const ours = Object.entries(names).map(
      ([rl, ourName]) => `\`${shown({ [ourName]: value })}\` beside \`rl: ${rl}\``,
    );
    return kind ? nothing(idle) : elsewhere(idle, `write ${ours.join(' or ')}`);
  };

const loss: Rule = (value, input) => {
  if (!Object.hasOwn(losses, String(value)))
    return cannot(`of its losses Anneal has ${Object.keys(losses).join(', ')}`);
  return input['stage'] === 'dpo'
    ? becomes(losses[String(value)] ?? {})
    : nothing('has no effect without stage: dpo, in LLaMA-Factory neither');
};

const imitation: Rule = (value, input) => {
  const kind = preferenceKind(input);
  if (kind === 'orpo' || kind === 'kto' || kind === 'reward')
    return cannot(`rl: ${kind} has no further weight of imitation`);
  const names = { dpo: 'rpo_alpha', ipo: 'rpo_alpha', simpo: 'cpo_alpha' };
  return named(names, 'a mean over all tokens of the chosen answers; there each answer counts the same')(value, input);
};

const reference: Rule = (_value, input) =>
  ['orpo', 'simpo'].includes(preferenceKind(input) ?? '')
    ? nothing('compares with no other model')
    : cannot('the reference is the base with the adapter off');

/** Only for `dpo` and `kto`. */
export const preferenceStage: Rule = (_value, input) => {
  const rl = preferenceKind(input);
  return becomes(
    { rl },
    rl === 'orpo' ? 'Anneal imitates prompt and answer, LLaMA-Factory the answer alone' : undefined,
  );
};

/** Settings of `stage: dpo`, `stage: kto` and `stage: rm`. */
export const preferenceRules: Rules = {
  pref_loss: loss,
  pref_beta: named({ dpo: 'rl_beta', ipo: 'rl_beta', simpo: 'rl_beta', kto: 'rl_beta', orpo: 'orpo_alpha' }),
  pref_ftx: isOff(imitation),
  dpo_label_smoothing: isOff(named({ dpo: 'dpo_label_smoothing' })),
  simpo_gamma: named({ simpo: 'simpo_gamma' }),
  kto_chosen_weight: named({ kto: 'kto_desirable_weight' }),
  kto_rejected_weight: named({ kto: 'kto_undesirable_weight' }),
  ref_model: reference,
  ref_model_adapters: reference,
  ref_model_quantization_bit: reference,
  ...missing('it changes what is learned, and Anneal does not have it', ['pref_bco_weight', 'ld_alpha']),
};

/** Its defaults of preferences that are not ours. */
export function implyPreferences(account: Account, output: Input): void {
  if (output['rl'] !== 'simpo') return;
  imply(account, output, 'rl_beta', 0.1, "LLaMA-Factory's default");
  imply(account, output, 'simpo_gamma', 0.5, "LLaMA-Factory's default");
}
