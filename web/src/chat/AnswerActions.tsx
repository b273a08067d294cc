import { useState } from 'react';
import type { Feedback } from '../api/shapes.ts';
import { CopyButton } from '../layout/CopyButton.tsx';
import { RowMenu } from '../layout/RowMenu.tsx';
import { t } from '../texts/en.ts';
import { FeedbackButtons } from './FeedbackButtons.tsx';
import type { ChatMessage } from './message.ts';

export interface AnswerActionsProps {
  text: string;
  /** An answer is being written somewhere in the conversation. */
  busy: boolean;
  onAgain: () => void;
  /** Shows another version of the turn. */
  onShow: (messageId: string) => Promise<void>;
  onRate: (feedback: Pick<Feedback, 'rating' | 'note'> | undefined) => Promise<void>;
  onDelete: () => void;
}

/** What one can do with a complete answer. */
export function AnswerActions({
  message: { id, metadata = {} },
  text,
  busy,
  onAgain,
  onShow,
  onRate,
  onDelete,
}: AnswerActionsProps & { message: ChatMessage }) {
  const { usage, cached, siblings = [], feedback } = metadata;
  return (
    <div className="turn-foot">
      <div className="turn-actions">
        {siblings.length > 1 && <Versions shown={id} versions={siblings} disabled={busy} onShow={onShow} />}
        <CopyButton text={text} />
        <button className="button button-quiet button-small" disabled={busy} onClick={onAgain}>
          {t.chat.again}
        </button>
        <FeedbackButtons feedback={feedback} onRate={onRate} />
        {usage !== undefined && (
          <span className="soft small number">{cached ? t.chat.cachedAnswer : t.chat.cost(usage.credits)}</span>
        )}
        <RowMenu label={t.chat.turnActions} actions={[[t.chat.deleteTurn, onDelete]]} />
      </div>
    </div>
  );
}

/** `‹ 2 / 3 ›`: the versions of a turn that regenerating and editing made, oldest first. */
function Versions({
  shown,
  versions,
  disabled,
  onShow,
}: {
  shown: string;
  versions: string[];
  disabled: boolean;
  onShow: (messageId: string) => Promise<void>;
}) {
  const [failed, setFailed] = useState(false);
  const at = versions.indexOf(shown);
  const step = (to: number, label: string, sign: string) => {
    const version = versions[to];
    return (
      <button
        className="button button-quiet button-small"
        aria-label={label}
        disabled={disabled || version === undefined}
        onClick={() => {
          setFailed(false);
          if (version !== undefined) onShow(version).catch(() => setFailed(true));
        }}
      >
        {sign}
      </button>
    );
  };
  return (
    <div className="versions small number" role="group" aria-label={t.chat.versions}>
      {step(at - 1, t.chat.versionBefore, '‹')}
      <span aria-live="polite">{t.chat.version(at + 1, versions.length)}</span>
      {step(at + 1, t.chat.versionAfter, '›')}
      {failed && (
        <span role="alert" className="soft">
          {t.chat.versionAway}
        </span>
      )}
    </div>
  );
}
