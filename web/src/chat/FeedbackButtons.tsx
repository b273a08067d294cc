import { useId, useState } from 'react';
import type { Feedback } from '../api/shapes.ts';
import { t } from '../texts/en.ts';

type Rating = Feedback['rating'];

const THUMB = 'M5 14V7l3-6c1.2 0 1.8.9 1.6 2L9.2 6h3.6c.9 0 1.5.8 1.3 1.7l-1 4.9c-.2.8-.8 1.4-1.6 1.4H5Zm0 0H2V7h3';

/** Thumbs up or down, with a note. The same thumb once more takes it back. */
export function FeedbackButtons({
  feedback,
  onRate,
}: {
  feedback: Feedback | undefined;
  onRate: (feedback: Pick<Feedback, 'rating' | 'note'> | undefined) => Promise<void>;
}) {
  const [state, setState] = useState<'idle' | 'noting' | 'noted' | 'failed'>('idle');
  const rate = (given: Parameters<typeof onRate>[0], then: typeof state) =>
    void onRate(given).then(
      () => setState(then),
      () => setState('failed'),
    );
  const thumb = (rating: Rating) => {
    const given = feedback?.rating === rating;
    return (
      <button
        className="button button-quiet button-small thumb"
        aria-label={t.chat.ratings[rating]}
        aria-pressed={given}
        onClick={() => (given ? rate(undefined, 'idle') : rate({ rating, note: feedback?.note ?? '' }, 'noting'))}
      >
        <svg className={`thumb-${rating}`} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
          <path d={THUMB} stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" />
        </svg>
      </button>
    );
  };
  return (
    <>
      {thumb('up')}
      {thumb('down')}
      {(state === 'noted' || state === 'failed') && (
        <span className="small soft" role="status">
          {state === 'noted' ? t.chat.noted : t.chat.notRated}
        </span>
      )}
      {state === 'noting' && feedback !== undefined && (
        <Note
          feedback={feedback}
          onSave={(note) => rate({ rating: feedback.rating, note }, 'noted')}
          onClose={() => setState('idle')}
        />
      )}
    </>
  );
}

const NOTE_MAX = 4000;

function Note({
  feedback: { rating, note },
  onSave,
  onClose,
}: {
  feedback: Feedback;
  onSave: (note: string) => void;
  onClose: () => void;
}) {
  const id = useId();
  return (
    <form
      className="feedback-note"
      onSubmit={(event) => {
        event.preventDefault();
        onSave((new FormData(event.currentTarget).get('note') as string).trim());
      }}
    >
      <label className="small soft" htmlFor={id}>
        {t.chat.notes[rating]}
      </label>
      <input
        className="input"
        id={id}
        name="note"
        maxLength={NOTE_MAX}
        defaultValue={note}
        onKeyDown={({ key }) => key === 'Escape' && onClose()}
      />
      <button className="button button-small">{t.chat.sendNote}</button>
      <button type="button" className="button button-quiet button-small" onClick={onClose}>
        {t.chat.noNote}
      </button>
    </form>
  );
}
