import { useMutation, useQuery } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import type { ApiKey } from '../api/shapes.ts';
import { projectsQuery } from '../session/session.ts';
import { t } from '../texts/en.ts';

type Scope = ApiKey['scopes'][number];
const SCOPES: Scope[] = ['read', 'write', 'chat'];
const DAY_MS = 86_400_000;
const DAYS = ['30', '90', '365'];

export function NewKeyForm({ onMade }: { onMade: (made: { name: string; key: string }) => void }) {
  const { data: projects = [] } = useQuery(projectsQuery);
  const making = useMutation({
    mutationFn: (form: FormData) => {
      const days = Number(form.get('days'));
      const scopes = form.getAll('scope') as Scope[];
      const body = {
        name: form.get('name') as string,
        scopes,
        project_id: (form.get('project') as string) || null,
        expires_at: days === 0 ? null : new Date(Date.now() + days * DAY_MS).toISOString(),
      };
      if (scopes.length === 0) throw new Error(t.keys.noScope);
      return dataOf(api.POST('/v1/api/keys', { body }));
    },
    onSuccess: onMade,
  });
  return (
    <form
      className="new-key"
      onSubmit={(event) => {
        event.preventDefault();
        making.mutate(new FormData(event.currentTarget));
      }}
    >
      <div className="field">
        <label htmlFor="key-name">{t.keys.name}</label>
        <input className="input" id="key-name" name="name" maxLength={200} required />
      </div>
      <fieldset className="key-scopes">
        <legend className="small soft">{t.keys.may}</legend>
        {SCOPES.map((scope) => (
          <label key={scope}>
            <input type="checkbox" name="scope" value={scope} defaultChecked /> {t.keys.scopes[scope]}
          </label>
        ))}
      </fieldset>
      <div className="field">
        <label htmlFor="key-project">{t.keys.project}</label>
        <select className="input" id="key-project" name="project">
          <option value="">{t.keys.everyProject}</option>
          {projects.map(({ project_id, name }) => (
            <option key={project_id} value={project_id}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="key-days">{t.keys.expiry}</label>
        <select className="input" id="key-days" name="days" defaultValue="90">
          {DAYS.map((days) => (
            <option key={days} value={days}>
              {t.keys.days(Number(days))}
            </option>
          ))}
          <option value="0">{t.keys.neverExpires}</option>
        </select>
      </div>
      {making.error !== null && (
        <p className="form-problem" role="alert">
          {making.error.message}
        </p>
      )}
      <button className="button button-primary" disabled={making.isPending}>
        {t.keys.make}
      </button>
    </form>
  );
}
