/** The x below which this share, from 0.5 to below 1, of a standard normal distribution lies. */
export function normalQuantile(share: number): number {
  let x = 0;
  for (;;) {
    // The distribution is concave from 0 on, so that Newton's steps come from below, until rounding ends them.
    const next = x + (share - belowOf(x)) / densityOf(x);
    if (!(next > x)) return x;
    x = next;
  }
}

function densityOf(x: number): number {
  return Math.exp(-x * x * 0.5) / Math.sqrt(2 * Math.PI);
}

/** The share below x. Marsaglia 2004: 1/2 + density · (x + x³ / 3 + x⁵ / (3 · 5) + …). */
function belowOf(x: number): number {
  let [term, sum] = [x, 0];
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= (x * x) / odd;
  }
  return 0.5 + sum * densityOf(x);
}
