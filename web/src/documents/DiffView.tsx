import { useMemo } from 'react';
import { Diff, Hunk, parseDiff } from 'react-diff-view';
import './diff.css';

/** A unified diff, one column: it fits a phone, and reads from top to bottom. */
export default function DiffView({ diff }: { diff: string }) {
  const files = useMemo(() => parseDiff(diff, { nearbySequences: 'zip' }), [diff]);
  return (
    <div className="diff-scroll">
      {files.map((file, index) => (
        <Diff key={index} viewType="unified" diffType={file.type} hunks={file.hunks}>
          {(hunks) => hunks.map((hunk) => <Hunk key={hunk.content} hunk={hunk} />)}
        </Diff>
      ))}
    </div>
  );
}
