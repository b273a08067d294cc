import { Logger } from '@nestjs/common';
import type { DocumentRow } from '../documents/document-row.js';
import { pendingWarning } from '../extraction/recognition/recognised-text.js';
import { RecognitionService } from './recognition.service.js';

/** A scan of one page of this user. */
function scanOf(userId: string) {
  const row = { path: `${userId}.pdf`, version: 'v', media_type: 'application/pdf', original_file: 'f' };
  const warnings = JSON.stringify(pendingWarning([1]));
  return {
    key: { userId, projectId: 'p' },
    row: { ...row, original_sha256: 's', warnings, tags: null } as DocumentRow,
  };
}

it('reads the documents of others while one that cannot be stored waits', async () => {
  Logger.overrideLogger(false);
  const waiting = ['ada', 'bob'].map(scanOf);
  const stored: string[] = [];
  let told: () => void;
  const done = new Promise<void>((resolve) => (told = resolve));
  const parts = [
    { filesystem: { ocr: { enabled: true, concurrent: 1 } } },
    {
      waitingForRecognition: async () => waiting,
      find: async (key: { userId: string }) => waiting.find((one) => one.key.userId === key.userId)?.row,
    },
    { read: async () => Buffer.from('') },
    {},
    {
      rewrite: async ({ userId }: { userId: string }) => {
        if (userId === 'ada') throw new Error('the quota is used up');
        stored.push(userId);
        told();
      },
    },
    {},
    {
      turn: async (_job: object, _ms: number, open: (pages: number[]) => void, take: (page: object) => void) => {
        open([1]);
        take({ page: 1, text: 'text', confidence: 90 });
        return { kind: 'done' };
      },
      stop: () => undefined,
    },
    { isShared: false },
  ];
  const service = new RecognitionService(...(parts as unknown as ConstructorParameters<typeof RecognitionService>));
  await service.onApplicationBootstrap();
  await done;
  service.onApplicationShutdown();
  expect(stored).toEqual(['bob']);
}, 5000);
