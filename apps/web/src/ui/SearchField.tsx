import { Search } from 'lucide-react';

export function SearchField({
  value,
  onChange,
  label,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
}) {
  return (
    <label className="relative block w-full sm:w-72">
      <span className="sr-only">{label}</span>
      <Search className="absolute top-[7px] left-2 size-3.5 text-muted" aria-hidden="true" />
      <input
        type="search"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={label}
        className="h-7 w-full rounded-md border border-line bg-surface pr-2 pl-7 text-[13px] placeholder:text-muted"
      />
    </label>
  );
}
