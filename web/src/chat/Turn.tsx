import { memo } from 'react';
import { ApiProblem } from '../api/client.ts';
import type { ChatSource } from '../api/shapes.ts';
import { undoQueue } from '../layout/undo.ts';
import { useDraft } from '../session/drafts.ts';
import { t } from '../texts/en.ts';
import { Answer } from './Answer.tsx';
import { composerDraft } from './Composer.tsx';
import type { LiveChat } from './live-chat.ts';
import { type ShownTurn, textOf } from './message.ts';
import { Question } from './Question.tsx';

interface TurnProps extends ShownTurn {
  chat: LiveChat;
  busy: boolean;
  isLast: boolean;
  onPassage: (source: ChatSource, number: number) => void;
}

/** Rendered again only when its own turn changed, because a growing answer changes only the last. */
export const Turn = memo(function Turn({ chat, question, answer, busy, isLast, onPassage }: TurnProps) {
  const [, setDraft] = useDraft(composerDraft(chat));
  const growing = busy && isLast;
  const text = textOf(question);
  return (
    <>
      <Question
        text={text}
        busy={busy}
        onEdit={answer === undefined ? undefined : (edited) => chat.edit(answer.id, edited)}
        onToComposer={() => {
          setDraft(text);
          document.getElementById('composer')?.focus();
        }}
      />
      {answer !== undefined && (
        <Answer
          message={answer}
          growing={growing}
          busy={busy}
          onPassage={onPassage}
          onAgain={() => chat.regenerate(answer.id)}
          onShow={(messageId) => chat.show(messageId)}
          onRate={(feedback) => chat.rate(answer.id, feedback)}
          onDelete={() => deleteWithUndo(chat, answer.id, text)}
        />
      )}
    </>
  );
});

function deleteWithUndo(chat: LiveChat, messageId: string, text: string): void {
  const show = () => chat.hide(messageId, false);
  chat.hide(messageId, true);
  undoQueue.add(t.chat.turnDeleted(text), (leaving) => void chat.deleteTurn(messageId, leaving).catch(show), show);
}

const WAITING: Partial<Record<LiveChat['phase'], string>> = {
  waiting: t.chat.thinking,
  queued: t.chat.queued,
  resuming: t.chat.resuming,
};

/** What the answer of the last turn is waiting for. */
export function Waiting({ phase }: { phase: LiveChat['phase'] }) {
  const text = WAITING[phase];
  return text === undefined ? null : <p className={`waiting waiting-${phase}`}>{text}</p>;
}

/** Why the question of the last turn was refused. */
export function Refused({
  error,
  onRetry,
  onBack,
}: {
  error: Error;
  onRetry: () => void;
  onBack: (() => void) | undefined;
}) {
  const noCredits = error instanceof ApiProblem && error.status === 402;
  return (
    <div className="refused" role="alert">
      <p>{noCredits ? t.chat.noCredits : error.message}</p>
      <div className="row">
        <button className="button button-small" onClick={onRetry}>
          {t.chat.retry}
        </button>
        {onBack !== undefined && (
          <button className="button button-quiet button-small" onClick={onBack}>
            {t.chat.backToAnswer}
          </button>
        )}
      </div>
    </div>
  );
}
