import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Conversations } from '../chat/Conversations.tsx';
import { currentUser, projectsQuery, signOut } from '../session/session.ts';
import { StatusDot } from '../status/StatusDot.tsx';
import { t } from '../texts/en.ts';

export function SideBar({ project }: { project: string | undefined }) {
  return (
    <div className="side-bar">
      <Link to="/" className="wordmark">
        {t.app.name}
      </Link>
      <ProjectChoice project={project} />
      <nav aria-label={t.nav.label}>
        <ul className="plain-list">
          {project !== undefined && <ProjectSections project={project} />}
          <Section>
            <Link to="/status" activeProps={CURRENT}>
              {t.nav.status} <StatusDot />
            </Link>
          </Section>
          <Section>
            <Link to="/usage" activeProps={CURRENT}>
              {t.nav.usage}
            </Link>
          </Section>
          <Section>
            <Link to="/keys" activeProps={CURRENT}>
              {t.nav.keys}
            </Link>
          </Section>
        </ul>
      </nav>
      {project !== undefined && <Conversations project={project} />}
      <Account />
    </div>
  );
}

const CURRENT = { 'aria-current': 'page' } as const;

function Section({ children }: { children: ReactNode }) {
  return <li className="section">{children}</li>;
}

function ProjectSections({ project }: { project: string }) {
  const params = { project };
  return (
    <>
      <Section>
        <Link to="/p/$project/chat" params={params} activeProps={CURRENT}>
          {t.nav.chat}
        </Link>
      </Section>
      <Section>
        <Link to="/p/$project/documents" params={params} activeProps={CURRENT}>
          {t.nav.documents}
        </Link>
      </Section>
      <Section>
        <Link to="/p/$project/search" params={params} activeProps={CURRENT}>
          {t.nav.search} <kbd className="kbd">/</kbd>
        </Link>
      </Section>
      <Section>
        <Link to="/p/$project/graph" params={params} activeProps={CURRENT}>
          {t.nav.graph}
        </Link>
      </Section>
    </>
  );
}

const ALL = '';

function ProjectChoice({ project }: { project: string | undefined }) {
  const { data: projects = [] } = useQuery(projectsQuery);
  const navigate = useNavigate();
  const known = projects.some(({ project_id }) => project_id === project);
  return (
    <select
      className="input project-choice"
      aria-label={t.nav.project}
      value={project ?? ALL}
      onChange={({ target: { value } }) =>
        void (value === ALL
          ? navigate({ to: '/projects' })
          : navigate({ to: '/p/$project/chat', params: { project: value } }))
      }
    >
      <option value={ALL}>{t.nav.projects}</option>
      {project !== undefined && !known && <option value={project}>{project}</option>}
      {projects.map(({ project_id, name }) => (
        <option key={project_id} value={project_id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Account() {
  const router = useRouter();
  const leave = async () => {
    await signOut();
    await router.navigate({ to: '/sign-in' });
  };
  return (
    <div className="account">
      <span className="account-name small soft" title={currentUser()?.email}>
        {currentUser()?.email}
      </span>
      <button className="button button-quiet button-small" onClick={() => void leave()}>
        {t.nav.signOut}
      </button>
    </div>
  );
}
