import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Empty } from '../layout/Problems.tsx';
import { documentCountQuery } from '../documents/documents-query.ts';
import { t } from '../texts/en.ts';
import { DEMO_PROJECT, Tour } from './Tour.tsx';
import './tour.css';

/** What stands in a chat before the first question. */
export function Welcome({ project, onAsk }: { project: string; onAsk: (question: string) => void }) {
  const { data: documents } = useQuery(documentCountQuery(project));
  if (documents === 0) {
    return (
      <div className="welcome">
        <Empty title={t.tour.emptyProject} what={t.tour.emptyProjectWhat}>
          <Link className="button button-primary" to="/p/$project/documents" params={{ project }}>
            {t.tour.addDocuments}
          </Link>
        </Empty>
      </div>
    );
  }
  return (
    <div className="welcome">
      <div className="welcome-column">
        <h2 className="welcome-title">{t.tour.title}</h2>
        <p className="soft">{t.tour.lead}</p>
        {project === DEMO_PROJECT && <Tour onAsk={onAsk} />}
      </div>
    </div>
  );
}
