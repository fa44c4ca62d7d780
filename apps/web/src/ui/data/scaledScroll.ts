/**
 * Where a list of any length scrolls. A browser's element has at most some ten million pixels, so the middle of a long list is squeezed:
 * a pixel of the scroll bar is then many rows. Both ends are not, so that the first and the last rows are reached pixel by pixel.
 */
export interface ScrollGeometry {
  /** Of the whole list, in pixels. */
  height: number;
  /** The row at the upper edge, with a fraction, where it is scrolled to. */
  positionOf(top: number): number;
  topOf(position: number): number;
  /** The position at the end. */
  last: number;
}

/** Below what Firefox and Safari have. */
const tallest = 8_000_000;
/** At each end, in pixels. */
const edge = 200_000;

export function scrollGeometry(rows: number, rowHeight: number, viewport: number): ScrollGeometry {
  const whole = rows * rowHeight;
  const height = Math.min(whole, tallest);
  const last = Math.max(0, whole - viewport) / rowHeight;
  const end = Math.max(0, height - viewport);
  if (whole <= tallest) {
    return {
      height,
      last,
      positionOf: (top) => clamp(top / rowHeight, last),
      topOf: (position) => clamp(position * rowHeight, end),
    };
  }
  const edgeRows = edge / rowHeight;
  const rowsPerPixel = (last - 2 * edgeRows) / (end - 2 * edge);
  return {
    height,
    last,
    positionOf(top) {
      if (top <= edge) return clamp(top / rowHeight, last);
      if (top >= end - edge) return clamp(last - (end - top) / rowHeight, last);
      return edgeRows + (top - edge) * rowsPerPixel;
    },
    topOf(position) {
      if (position <= edgeRows) return clamp(position * rowHeight, end);
      if (position >= last - edgeRows) return clamp(end - (last - position) * rowHeight, end);
      return edge + (position - edgeRows) / rowsPerPixel;
    },
  };
}

const clamp = (value: number, most: number): number => Math.min(Math.max(0, value), most);
