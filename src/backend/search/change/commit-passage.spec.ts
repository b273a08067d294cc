import { commitPassage } from './commit-passage.js';

const DIFF = `diff --git a/plan.md b/plan.md
index 1..2 100644
--- a/plan.md
+++ b/plan.md
@@ -1,2 +1,2 @@ # Plan
 # Plan
-Buy a boat.
+Sell the boat.
\\ No newline at end of file
`;
const COMMIT = {
  version: 'v',
  path: 'plan.md',
  author: 'Ada',
  message: 'Save plan.md',
  committed_at: '2026-11-20T14:02:11.000Z',
  commit: '0123456789abcdef',
};

describe('a commit as a passage', () => {
  it('names author, time, message and changes', () => {
    const passage = commitPassage({ ...COMMIT, diff: DIFF });
    expect(passage).toMatchObject({
      document: 'plan.md',
      title: 'Commit 0123456 by Ada on 2026-11-20',
      text: 'Ada changed plan.md on 2026-11-20 at 14:02 UTC.\n\nSave plan.md\n\n # Plan\n-Buy a boat.\n+Sell the boat.',
    });
    for (const highlight of passage.highlights) expect(passage.text).toContain(highlight);
  });

  it('lists added and deleted lines, and stays short', () => {
    expect(commitPassage({ ...COMMIT, diff: 'new file mode 100644\n@@ -0,0 +1 @@\n+x' }).text).toContain(
      'Ada added plan.md',
    );
    const long = commitPassage({ ...COMMIT, diff: `deleted file mode 100644\n@@ -1 +0,0 @@\n${'-x\n'.repeat(5000)}` });
    expect(long.text).toContain('Ada deleted plan.md');
    expect(long.text.length).toBeLessThanOrEqual(2000);
    expect(commitPassage({ ...COMMIT, diff: '' }).highlights).toHaveLength(1);
  });
});
