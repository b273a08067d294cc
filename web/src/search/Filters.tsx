import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { documentsQuery } from '../documents/documents-query.ts';
import { tagsOf } from '../documents/tags.ts';
import { t } from '../texts/en.ts';
import { FIELDS, type SearchAddress } from './search-address.ts';

export type SearchMode = 'hybrid' | NonNullable<SearchAddress['mode']>;

/** How and in which documents is searched. The fields that are used seldom are behind a button. */
export function Filters({
  project,
  address,
  onChange,
}: {
  project: string;
  address: SearchAddress;
  onChange: (change: Partial<Record<keyof SearchAddress, string | true | undefined>>) => void;
}) {
  const { data = [] } = useQuery(documentsQuery(project));
  const folders = useMemo(
    () => [...new Set(data.flatMap(({ path }) => (path.includes('/') ? [`${path.split('/')[0]}/`] : [])))].sort(),
    [data],
  );
  const tags = useMemo(() => tagsOf(data), [data]);
  const used = FIELDS.filter((field) => address[field] !== undefined).length;
  const [open, setOpen] = useState(used > 0);
  return (
    <div className="filters">
      <div className="row">
        <select
          className="input"
          aria-label={t.search.mode}
          value={address.mode ?? 'hybrid'}
          onChange={({ target: { value } }) => onChange({ mode: value === 'hybrid' ? undefined : value })}
        >
          {(Object.keys(t.search.modes) as SearchMode[]).map((name) => (
            <option key={name} value={name}>
              {t.search.modes[name]}
            </option>
          ))}
        </select>
        {folders.length > 0 && (
          <select
            className="input"
            aria-label={t.search.folder}
            value={address.folder ?? ''}
            onChange={({ target }) => onChange({ folder: target.value || undefined })}
          >
            <option value="">{t.search.anyFolder}</option>
            {folders.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        {tags.length > 0 && (
          <select
            className="input"
            aria-label={t.tags.filter}
            value={address.tag ?? ''}
            onChange={({ target }) => onChange({ tag: target.value || undefined })}
          >
            <option value="">{t.tags.any}</option>
            {/* The field below takes several tags, and those of front matters. */}
            {[...new Set(address.tag === undefined ? tags : [...tags, address.tag])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <button
          type="button"
          className="button button-quiet button-small"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t.search.filters(used)}
        </button>
        <label className="explain small soft">
          <input
            type="checkbox"
            checked={address.explain === true}
            onChange={({ target }) => onChange({ explain: target.checked ? true : undefined })}
          />{' '}
          {t.search.explain}
        </label>
      </div>
      {open && <Fields address={address} onChange={onChange} />}
    </div>
  );
}

function Fields({ address, onChange }: Pick<Parameters<typeof Filters>[0], 'address' | 'onChange'>) {
  return (
    <form
      className="filter-fields"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        onChange(Object.fromEntries(FIELDS.map((field) => [field, (form.get(field) as string).trim() || undefined])));
      }}
    >
      {FIELDS.map((field) => (
        <div className="field" key={field}>
          <label htmlFor={`filter-${field}`}>{t.search.fields[field]}</label>
          <input
            // The address may change beside the form, as by going back.
            key={address[field] ?? ''}
            className="input"
            id={`filter-${field}`}
            name={field}
            type={field === 'after' || field === 'before' ? 'date' : 'text'}
            placeholder={t.search.examples[field]}
            defaultValue={address[field] ?? ''}
          />
        </div>
      ))}
      <div className="row">
        <button className="button button-small">{t.search.apply}</button>
        <button
          type="button"
          className="button button-quiet button-small"
          onClick={() => onChange(Object.fromEntries(FIELDS.map((field) => [field, undefined])))}
        >
          {t.search.clear}
        </button>
      </div>
    </form>
  );
}
