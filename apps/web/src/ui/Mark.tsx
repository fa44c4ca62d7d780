/** Three bars, from cold to hot. */
export function Mark({ className }: { className: string }) {
  return (
    <svg viewBox="0 0 20 20" className={className} aria-hidden="true">
      <rect x="1" y="11" width="4" height="8" rx="1" fill="var(--faint)" />
      <rect x="8" y="6" width="4" height="13" rx="1" fill="var(--ember)" opacity="0.6" />
      <rect x="15" y="1" width="4" height="18" rx="1" fill="var(--ember)" />
    </svg>
  );
}
