/** A part of a whole, in a thin bar. Without a transition, of which a browser without a GPU lays out and paints each frame. */
export function Bar({ share, color }: { /** From 0 to 1. */ share: number; color: string }) {
  return <div className={`h-full rounded-full ${color}`} style={{ width: `${100 * Math.min(1, share)}%` }} />;
}
