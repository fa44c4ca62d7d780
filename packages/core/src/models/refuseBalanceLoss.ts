import type { Fields } from './fields.ts';

/** Of a router's. @throws UserError where config.json asks for it */
export function refuseBalanceLoss(fields: Fields): void {
  if (!fields.boolean('output_router_logits', false)) return;
  throw fields.unsupported(
    'output_router_logits, which adds the balance loss of the router, is not implemented',
    'set it to false: the router is then trained by the loss of the tokens alone, as published files have it',
  );
}
