import { casesFor, constant, positives } from '../../src/cases/casesFor.ts';
import { attentionSinksBackwardOp } from './op.ts';

function shape(T: number, H: number, headSize: number) {
  return { T, H, Q: H * headSize };
}

export const attentionSinksBackwardCases = casesFor(attentionSinksBackwardOp, {
  shapes: [shape(1, 1, 1), shape(5, 3, 5), shape(70, 4, 33), shape(0, 2, 8)],
  fill: { lse: positives },
  hard: {
    'far above and far below the scores': {
      extents: shape(9, 2, 8),
      fill: { sinks: constant(30, -40), lse: constant(30) },
    },
  },
  benchmark: [{ extents: shape(512, 64, 64), fill: { lse: constant(6) } }],
  reference: ({ sinks, lse, out, dout, gradient }, { total }, { extents: { T = 0, H = 0, Q = 0 } }) => {
    const size = Q / H;
    for (let h = 0; h < H; h++) {
      total.add(h, 0, gradient.at(h));
      for (let t = 0; t < T; t++) {
        const exponent = sinks.at(h) - lse.at(h, t);
        const share = Math.exp(exponent);
        for (let c = h * size; c < (h + 1) * size; c++) {
          const term = share * out.at(t, c) * dout.at(t, c);
          total.add(h, 0, -term, Math.abs(term) * (1 + Math.abs(exponent)));
        }
      }
    }
  },
});
