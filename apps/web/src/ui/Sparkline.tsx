/** A curve of a few millimeters: where the loss came from and where it is. */
export function Sparkline({
  values,
  width = 88,
  height = 22,
}: {
  values: readonly number[];
  width?: number;
  height?: number;
}) {
  if (values.length < 2) return <span className="inline-block max-lg:hidden" style={{ width, height }} />;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (index: number) => 1 + (index * (width - 4)) / (values.length - 1);
  const y = (value: number) => 2 + (1 - (high === low ? 0.5 : (value - low) / (high - low))) * (height - 4);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg width={width} height={height} aria-hidden="true" className="overflow-visible">
      <polyline points={points} fill="none" stroke="var(--faint)" strokeWidth="1.25" strokeLinejoin="round" />
      <circle cx={x(values.length - 1)} cy={y(values.at(-1) as number)} r="1.9" fill="var(--ember)" />
    </svg>
  );
}
