import { CodeText } from './CodeText.tsx';

/** The agent's own words below a translation: they have the names and the numbers. */
export function AgentWords({ said }: { said: string | null }) {
  if (said === null) return null;
  return (
    <span lang="en" className="block whitespace-pre-wrap text-[12.5px] text-muted">
      <CodeText text={said} />
    </span>
  );
}
