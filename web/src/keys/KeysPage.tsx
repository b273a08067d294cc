import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { ApiKey } from '../api/shapes.ts';
import { CopyButton } from '../layout/CopyButton.tsx';
import { Dialog } from '../layout/Dialog.tsx';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { projectsQuery } from '../session/session.ts';
import { t } from '../texts/en.ts';
import { formatAgo, formatDate, formatDateTime } from '../texts/format.ts';
import { NewKeyForm } from './NewKeyForm.tsx';
import './keys.css';

const keysQuery = {
  queryKey: ['keys'],
  queryFn: async () => (await dataOf(api.GET('/v1/api/keys'))).keys,
};

export function KeysPage() {
  const { data, error, refetch } = useQuery(keysQuery);
  // The key is in the answer that made it, and nowhere else.
  const [made, setMade] = useState<{ name: string; key: string }>();
  useTitle(t.keys.title);
  return (
    <div className="page keys">
      <header>
        <h1>{t.keys.title}</h1>
        <p className="soft">{t.keys.what}</p>
      </header>
      {made === undefined ? (
        <NewKeyForm
          onMade={(key) => {
            setMade(key);
            void queries.invalidateQueries({ queryKey: ['keys'] });
          }}
        />
      ) : (
        <MadeKey name={made.name} secret={made.key} onClose={() => setMade(undefined)} />
      )}
      {data === undefined && error === null && <Loading />}
      {data === undefined && error !== null && <LoadProblem error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <Empty title={t.keys.empty} />}
      <ul className="plain-list">
        {data?.map((key) => (
          <li key={key.id} className="key">
            <Key apiKey={key} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function MadeKey({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <section className="made-key" aria-label={t.keys.made(name)}>
      <p role="status">
        <strong>{t.keys.made(name)}</strong> {t.keys.once}
      </p>
      <div className="row">
        <code className="made-key-text">{secret}</code>
        <CopyButton text={secret} />
      </div>
      <div className="row">
        <button className="button button-small" onClick={onClose}>
          {t.keys.kept}
        </button>
      </div>
    </section>
  );
}

function Key({ apiKey }: { apiKey: ApiKey }) {
  const { id, name, scopes, project_id, created_at, expires_at, last_used_at } = apiKey;
  const { data: projects } = useQuery(projectsQuery);
  const [asking, setAsking] = useState(false);
  const project = projects?.find((candidate) => candidate.project_id === project_id)?.name ?? project_id;
  const isExpired = expires_at !== null && Date.parse(expires_at) <= Date.now();
  return (
    <>
      <div className="key-name">
        <span>{name}</span>
        <span className="small soft">
          {[
            scopes.map((scope) => t.keys.scopes[scope]).join(', '),
            project === null ? t.keys.everyProject : t.keys.oneProject(project),
            t.keys.madeAt(formatDate(created_at)),
            expires_at === null
              ? t.keys.neverExpires
              : isExpired
                ? t.keys.expired(formatDate(expires_at))
                : t.keys.expires(formatDate(expires_at)),
          ].join(' · ')}
        </span>
      </div>
      <span className="small soft" title={last_used_at === null ? undefined : formatDateTime(last_used_at)}>
        {last_used_at === null ? t.keys.neverUsed : t.keys.used(formatAgo(last_used_at))}
      </span>
      <button
        className="button button-small button-danger"
        aria-label={t.keys.revokeOf(name)}
        onClick={() => setAsking(true)}
      >
        {t.keys.revoke}
      </button>
      {asking && <RevokeDialog id={id} name={name} onClose={() => setAsking(false)} />}
    </>
  );
}

/** A question instead of an undo: a revoked key has to stop working at once. */
function RevokeDialog({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const revoking = useMutation({
    mutationFn: () => dataOf(api.DELETE('/v1/api/keys/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
  });
  return (
    <Dialog open title={t.keys.revokeOf(name)} what={t.keys.revokeWhat} onClose={onClose}>
      {revoking.error !== null && (
        <p className="form-problem" role="alert">
          {revoking.error.message}
        </p>
      )}
      <div className="row">
        <button className="button button-danger" disabled={revoking.isPending} onClick={() => revoking.mutate()}>
          {t.keys.revokeNow}
        </button>
      </div>
    </Dialog>
  );
}
