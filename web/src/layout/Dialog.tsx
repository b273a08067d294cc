import { Suspense } from 'react';
import type { DialogFrameProps } from './DialogFrame.tsx';
import { lazily } from './lazily.ts';

const DialogFrame = lazily(() => import('./DialogFrame.tsx'));

/** A dialog, whose code is loaded when the first one opens. */
export function Dialog({ open, ...frame }: DialogFrameProps & { open: boolean }) {
  return open ? (
    <Suspense fallback={null}>
      <DialogFrame {...frame} />
    </Suspense>
  ) : null;
}
