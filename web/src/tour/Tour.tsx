import { CopyButton } from '../layout/CopyButton.tsx';
import { t } from '../texts/en.ts';
import './tour.css';

/** The project of the demo account, made of this repository's own documents. */
export const DEMO_PROJECT = 'caudex-docs';

const QUESTIONS: readonly string[] = t.tour.demoQuestions;
/** The question that is asked while a service is away. */
const LAST = QUESTIONS.at(-1);

interface TourProps {
  onAsk: (question: string) => void;
  /** Those of its questions that were asked already. */
  asked?: readonly string[];
}

/** The questions of the tour that were not asked yet. */
export function Tour({ onAsk, asked = [] }: TourProps) {
  return (
    <div className="tour">
      <p>{asked.length === 0 ? t.tour.demoLead : t.tour.next}</p>
      <ol className="plain-list tour-steps">
        {QUESTIONS.filter((question) => !asked.includes(question)).map((question) =>
          question === LAST ? (
            <li key={question} className="tour-outage">
              <p className="small soft">{t.tour.kill}</p>
              <Command text={t.tour.killCommand} />
              <Ask text={question} onAsk={onAsk} />
            </li>
          ) : (
            <li key={question}>
              <Ask text={question} onAsk={onAsk} />
            </li>
          ),
        )}
      </ol>
    </div>
  );
}

/** Below the last answer of a conversation that began with the tour: its next questions, and at its end the way back. */
export function TourGoesOn({ onAsk, asked }: Required<TourProps>) {
  const ofTour = QUESTIONS.filter((question) => asked.includes(question));
  if (ofTour.length === 0) return null;
  return (
    <aside className="tour-next" aria-label={t.tour.label}>
      {ofTour.length < QUESTIONS.length && <Tour onAsk={onAsk} asked={ofTour} />}
      {LAST !== undefined && asked.at(-1) === LAST && (
        <div className="tour">
          <p className="small soft">{t.tour.revive}</p>
          <Command text={t.tour.reviveCommand} />
        </div>
      )}
    </aside>
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
