import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { lastProjectUsed, projectsQuery, rememberProject } from '../session/session.ts';
import { SessionEnded } from '../session/SessionEnded.tsx';
import { t } from '../texts/en.ts';
import { Dialog } from './Dialog.tsx';
import { loadAhead } from './load-ahead.ts';
import { ConnectionLine } from './ConnectionLine.tsx';
import { SideBar } from './SideBar.tsx';
import { UndoBar } from './UndoBar.tsx';
import { useSearchKey } from './search-key.ts';
import './layout.css';

/** What stays while one goes from page to page: the sections at the side, and the lines that say what is amiss. */
export function Shell() {
  const { project: shown } = useParams({ strict: false });
  // On a page of no project the sections are those of the project one came from.
  const { data: projects } = useQuery(projectsQuery);
  const project = shown ?? lastProjectUsed() ?? projects?.[0]?.project_id;
  useEffect(() => {
    if (shown !== undefined) rememberProject(shown);
  }, [shown]);
  useSearchKey(project);
  useEffect(loadAhead, []);

  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        {t.app.skip}
      </a>
      <aside className="side-bar-place" aria-label={t.app.menu}>
        <SideBar project={project} />
      </aside>
      <div className="shell-main">
        <TopBar project={project} />
        <ConnectionLine />
        {/* eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- it is what scrolls, also by keyboard */}
        <main id="content" className="content" tabIndex={0}>
          <Outlet />
        </main>
      </div>
      <UndoBar />
      <SessionEnded />
    </div>
  );
}

/** On a narrow screen the sections are behind a button. */
function TopBar({ project }: { project: string | undefined }) {
  const { pathname } = useLocation();
  const [openAt, setOpenAt] = useState<string>();
  return (
    <header className="top-bar">
      <button
        className="button button-quiet"
        aria-label={t.app.menu}
        aria-haspopup="dialog"
        onClick={() => setOpenAt(pathname)}
      >
        <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
          <path d="M2 5h14M2 9h14M2 13h14" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
        </svg>
      </button>
      <Dialog open={openAt === pathname} title={t.app.menu} form="drawer" onClose={() => setOpenAt(undefined)}>
        <SideBar project={project} />
      </Dialog>
      <span className="wordmark">{t.app.name}</span>
    </header>
  );
}
