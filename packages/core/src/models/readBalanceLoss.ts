import type { Fields } from './fields.ts';

/** What config.json asks the balance loss of its routers to count; nothing where it asks for none. */
export function readBalanceLoss(fields: Fields): { readonly balanceLoss?: number } {
  if (!fields.boolean('output_router_logits', false)) return {};
  return { balanceLoss: fields.notNegative('router_aux_loss_coef', 0.001) };
}

/** Of a router for which transformers has none. @throws UserError where config.json asks for it */
export function refuseBalanceLoss(fields: Fields): void {
  if (!fields.boolean('output_router_logits', false)) return;
  throw fields.unsupported(
    'output_router_logits, which adds the balance loss of the router, is not implemented for this model type',
    'set it to false: the router is then trained by the loss of the tokens alone, as published files have it',
  );
}
