import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { matchMagnitudeBackwardOp, matchMagnitudeOp } from './op.ts';

const extents = (T: number, streams: number, D: number) => ({ T, D, W: streams * D });
const attributes = { eps: 1e-5 };

const all = {
  shapes: [extents(1, 1, 1), extents(5, 3, 33), extents(7, 2, 72), extents(3, 1, 4104), extents(0, 3, 8)],
  attributes: [attributes],
  hard: {
    'streams of zeros': { extents: extents(3, 2, 20), attributes, fill: { x: constant(0) } },
    'like nothing': { extents: extents(3, 2, 20), attributes, fill: { like: constant(0) } },
    'less than eps': { extents: extents(3, 2, 20), attributes, fill: { x: constant(1e-3, -2e-3, 1e-4) } },
  },
  benchmark: [{ extents: extents(512, 3, 2048), attributes }],
};

/** Calls `each` with where a stream begins. */
function forStreams(T: number, W: number, D: number, each: (t: number, first: number) => void): void {
  for (let t = 0; t < T; t++) for (let first = 0; first < W; first += D) each(t, first);
}

function meanSquare(D: number, at: (d: number) => number): number {
  let total = 0;
  for (let d = 0; d < D; d++) total += at(d) ** 2;
  return total / D;
}

export const matchMagnitudeCases = casesFor(matchMagnitudeOp, {
  ...all,
  reference: ({ x, like }, { y }, { extents: { T = 0, W = 0, D = 0 }, attributes: { eps } }) => {
    forStreams(T, W, D, (t, first) => {
      const wanted = meanSquare(D, (d) => like.at(t, d));
      const held = Math.max(
        meanSquare(D, (d) => x.at(t, first + d)),
        eps,
      );
      for (let d = 0; d < D; d++) y.add(t, first + d, x.at(t, first + d) * Math.sqrt(wanted / held));
    });
  },
});

export const matchMagnitudeBackwardCases = casesFor(matchMagnitudeBackwardOp, {
  ...all,
  reference: ({ dy, x, like }, { dx, dlike }, { extents: { T = 0, W = 0, D = 0 }, attributes: { eps } }) => {
    forStreams(T, W, D, (t, first) => {
      const r = Math.sqrt(meanSquare(D, (d) => like.at(t, d)));
      const square = meanSquare(D, (d) => x.at(t, first + d));
      const s = Math.sqrt(Math.max(square, eps));
      let product = 0;
      let size = 0;
      for (let d = 0; d < D; d++) {
        const term = dy.at(t, first + d) * x.at(t, first + d);
        product += term;
        size += Math.abs(term);
      }
      for (let d = 0; d < D; d++) {
        dx.add(t, first + d, (r / s) * dy.at(t, first + d));
        const along = square > eps ? ((r / s) * x.at(t, first + d)) / (D * s ** 2) : 0;
        dx.add(t, first + d, -along * product, Math.abs(along) * size);
        const share = r > 0 ? like.at(t, d) / (s * D * r) : 0;
        dlike.add(t, d, share * product, Math.abs(share) * size);
      }
    });
  },
});
