import { useId, useMemo } from 'react';
import type { DocumentInfo } from '../api/shapes.ts';
import { foldersOf } from './folders.ts';

/** A field for a path that suggests the folders of the documents. */
export function PathField({
  label,
  documents,
  value,
  onChange,
  ...input
}: {
  label: string;
  documents: readonly DocumentInfo[];
  value: string;
  onChange: (typed: string) => void;
  maxLength: number;
  required?: boolean;
  placeholder?: string;
}) {
  const id = useId();
  const folders = useMemo(() => foldersOf(documents), [documents]);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        className="input"
        id={id}
        list={`${id}-folders`}
        value={value}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => onChange(target.value)}
      />
      <datalist id={`${id}-folders`}>
        {folders.map((folder) => (
          <option key={folder} value={folder} />
        ))}
      </datalist>
    </div>
  );
}
