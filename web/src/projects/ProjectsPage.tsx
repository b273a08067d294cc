import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { Project } from '../api/shapes.ts';
import { Empty, Loading, LoadProblem } from '../layout/Problems.tsx';
import { RowMenu } from '../layout/RowMenu.tsx';
import { useTitle } from '../layout/title.ts';
import { undoQueue } from '../layout/undo.ts';
import { forgetDraftsOf } from '../session/drafts.ts';
import { projectsQuery } from '../session/session.ts';
import { t } from '../texts/en.ts';
import { formatDate } from '../texts/format.ts';
import './projects.css';
import { lazily } from '../layout/lazily.ts';

const InstructionsDialog = lazily(() => import('./InstructionsDialog.tsx'));

export function ProjectsPage() {
  const { data, error, refetch } = useQuery(projectsQuery);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  useTitle(t.projects.title);
  const shown = data?.filter(({ project_id }) => !hidden.has(project_id));
  const hide = (id: string, hiding: boolean) =>
    setHidden((before) => {
      const after = new Set(before);
      if (hiding) after.add(id);
      else after.delete(id);
      return after;
    });
  return (
    <div className="page projects">
      <h1>{t.projects.title}</h1>
      <NewProject />
      {data === undefined && error === null && <Loading />}
      {data === undefined && error !== null && <LoadProblem error={error} onRetry={() => void refetch()} />}
      {shown?.length === 0 && <Empty title={t.projects.empty} />}
      <ul className="plain-list">
        {shown?.map((project) => (
          <li key={project.project_id} className="project">
            <ProjectRow project={project} onHide={(hiding) => hide(project.project_id, hiding)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function NewProject() {
  const navigate = useNavigate();
  const making = useMutation({
    mutationFn: (name: string) => dataOf(api.POST('/v1/api/projects', { body: { name } })),
    onSuccess: async ({ project_id: project }) => {
      await queries.invalidateQueries({ queryKey: ['projects'] });
      await navigate({ to: '/p/$project/documents', params: { project } });
    },
  });
  return (
    <form
      className="new-project"
      onSubmit={(event) => {
        event.preventDefault();
        making.mutate(new FormData(event.currentTarget).get('name') as string);
      }}
    >
      <input
        className="input"
        name="name"
        aria-label={t.projects.name}
        placeholder={t.projects.name}
        maxLength={200}
        required
      />
      <button className="button button-primary" disabled={making.isPending}>
        {t.projects.create}
      </button>
      {making.error !== null && (
        <p className="form-problem" role="alert">
          {making.error.message}
        </p>
      )}
    </form>
  );
}

function ProjectRow({
  project: { project_id: project, name, documents, created_at },
  onHide,
}: {
  project: Project;
  onHide: (hiding: boolean) => void;
}) {
  const [instructing, setInstructing] = useState(false);
  const remove = () => {
    onHide(true);
    undoQueue.add(
      t.projects.deleted(name),
      (keepalive) =>
        void deleteProject(project, keepalive).catch(({ message }: Error) => {
          onHide(false);
          undoQueue.say(t.undo.notDeleted(name, message));
        }),
      () => onHide(false),
    );
  };
  return (
    <>
      <Link to="/p/$project/chat" params={{ project }} className="project-name">
        {name}
      </Link>
      <span className="small soft number">
        {t.projects.documents(documents)} · {t.projects.made(formatDate(created_at))}
      </span>
      <RowMenu
        label={t.documents.actions(name)}
        actions={[
          [t.projects.instructions, () => setInstructing(true)],
          [t.projects.delete, remove],
        ]}
      />
      {instructing && (
        <Suspense fallback={null}>
          <InstructionsDialog project={project} onClose={() => setInstructing(false)} />
        </Suspense>
      )}
    </>
  );
}

async function deleteProject(project: string, keepalive: boolean): Promise<void> {
  await dataOf(api.DELETE('/v1/api/projects/{project_id}', { params: { path: { project_id: project } }, keepalive }));
  forgetDraftsOf(project);
  await queries.invalidateQueries({ queryKey: ['projects'] });
}
