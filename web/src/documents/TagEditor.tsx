import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useMemo, useRef } from 'react';
import { queries } from '../api/queries.ts';
import type { DocumentInfo } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { documentInfoQuery, documentsQuery } from './documents-query.ts';
import { storeTags, tagsIn, tagsOf } from './tags.ts';

/** The tags of a document that a person set; those in its front matter are a part of its text. */
export function TagEditor({ project, info: { path, tags = [] } }: { project: string; info: DocumentInfo }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const { queryKey } = documentInfoQuery(project, path);
  const show = (shown: string[]) => queries.setQueryData(queryKey, (info) => info && { ...info, tags: shown });
  const storing = useMutation({
    // Changes of one document are stored one after the other, so that the last one counts.
    scope: { id: `tags ${project} ${path}` },
    mutationFn: (wanted: string[]) => storeTags(project, path, wanted),
    onSettled: () => queries.invalidateQueries({ queryKey: ['documents', project] }),
  });
  const change = (wanted: string[]) => {
    show(wanted);
    storing.mutate(wanted);
  };
  return (
    <div className="tags">
      <ul className="plain-list tags" aria-label={t.tags.title}>
        {tags.map((tag) => (
          <li key={tag} className="tag">
            <Link to="/p/$project/documents" params={{ project }} search={{ tag }} title={t.tags.show(tag)}>
              {tag}
            </Link>
            <button
              aria-label={t.tags.remove(tag)}
              onClick={() => {
                change(tags.filter((other) => other !== tag));
                input.current?.focus();
              }}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const added = tagsIn(input.current?.value ?? '').filter((tag) => !tags.includes(tag));
          if (added.length > 0) change([...tags, ...added]);
          event.currentTarget.reset();
        }}
      >
        <input
          ref={input}
          className="input tag-input"
          aria-label={t.tags.add}
          placeholder={t.tags.add}
          list={`${id}-known`}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          enterKeyHint="done"
        />
        <KnownTags id={`${id}-known`} project={project} without={tags} />
      </form>
      {storing.error !== null && (
        <p className="form-problem small" role="alert">
          {storing.error.message}
        </p>
      )}
    </div>
  );
}

/** The tags of other documents, as suggestions of an input. The list of documents is not read for them alone. */
export function KnownTags({ id, project, without = [] }: { id: string; project: string; without?: readonly string[] }) {
  const { data } = useQuery({ ...documentsQuery(project), enabled: false });
  const known = useMemo(() => tagsOf(data ?? []), [data]);
  return (
    <datalist id={id}>
      {known
        .filter((tag) => !without.includes(tag))
        .map((tag) => (
          <option key={tag} value={tag} />
        ))}
    </datalist>
  );
}
