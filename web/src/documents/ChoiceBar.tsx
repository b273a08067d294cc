import { useEffect, useRef } from 'react';
import { t } from '../texts/en.ts';
import type { Choice } from './choice.ts';

/** Chooses all rows of a list, and says what can be done with the chosen ones. */
export function ChoiceBar({
  choice,
  listed,
  actions,
}: {
  choice: Choice;
  /** How many rows can be chosen. */
  listed: number;
  /** `run` takes the chosen rows; afterwards none is chosen. */
  actions: readonly { text: string; run: (ids: readonly string[]) => void; danger?: boolean }[];
}) {
  const number = choice.ids.length;
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current !== null) box.current.indeterminate = number > 0 && number < listed;
  }, [number, listed]);
  return (
    <div className="choice-bar" role="group" aria-label={t.choice.toolbar}>
      <label className="choice-box choice-all small soft">
        <input
          ref={box}
          type="checkbox"
          aria-label={t.choice.all}
          checked={number > 0 && number === listed}
          onChange={({ target }) => choice.setAll(target.checked)}
        />
        <span className="number" role="status">
          {number > 0 ? t.choice.chosen(number) : t.choice.all}
        </span>
      </label>
      {number > 0 &&
        actions.map(({ text, run, danger = false }) => (
          <button
            key={text}
            className={danger ? 'button button-quiet button-small button-danger' : 'button button-quiet button-small'}
            onClick={() => {
              // The button goes away, and the focus must not go with it.
              box.current?.focus();
              run(choice.ids);
              choice.setAll(false);
            }}
          >
            {text}
          </button>
        ))}
    </div>
  );
}

/** The box at the beginning of a row. */
export function RowChoice({ choice, id, name = id }: { choice: Choice; id: string; name?: string }) {
  return (
    <label className="choice-box">
      <input
        type="checkbox"
        aria-label={t.choice.choose(name)}
        checked={choice.has(id)}
        onChange={({ target, nativeEvent }) =>
          choice.set(id, target.checked, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)
        }
      />
    </label>
  );
}
