import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CopyButton } from '../layout/CopyButton.tsx';
import { Empty } from '../layout/Problems.tsx';
import { documentCountQuery } from '../documents/documents-query.ts';
import { t } from '../texts/en.ts';
import './tour.css';

/** The project of the demo account, made of this repository's own documents. */
const DEMO_PROJECT = 'caudex-docs';

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

function Tour({ onAsk }: { onAsk: (question: string) => void }) {
  const [first, second, third] = t.tour.demoQuestions as [string, string, string];
  return (
    <div className="tour">
      <p>{t.tour.demoLead}</p>
      <ol className="plain-list tour-steps">
        <li>
          <Ask text={first} onAsk={onAsk} />
        </li>
        <li>
          <Ask text={second} onAsk={onAsk} />
        </li>
        <li>
          <p className="small soft">{t.tour.kill}</p>
          <Command text={t.tour.killCommand} />
          <Ask text={third} onAsk={onAsk} />
          <p className="small soft">{t.tour.revive}</p>
          <Command text={t.tour.reviveCommand} />
        </li>
      </ol>
    </div>
  );
}

function Ask({ text, onAsk }: { text: string; onAsk: (question: string) => void }) {
  return (
    <button className="button tour-question" onClick={() => onAsk(text)}>
      {text}
    </button>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} label={t.tour.copy} />
    </div>
  );
}
