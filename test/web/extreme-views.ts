import type { Person } from '../system/caudex.ts';
import type { View } from './gallery.ts';

const LONGEST_WORD = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz';
const LONG_TITLE = 'A title of three hundred characters that goes on and on '.repeat(6).slice(0, 300);
const DOCUMENT = `${LONGEST_WORD}/${LONGEST_WORD.toLowerCase()}-${LONGEST_WORD.toLowerCase()}.md`;
const MANY = 10_000;

/** @returns a project with the longest names that a person may give */
export async function extremeProject(person: Person): Promise<string> {
  const project = await person.project(`${LONGEST_WORD} ${LONGEST_WORD}`);
  const text = `# ${LONG_TITLE}\n\nThe ${LONGEST_WORD} is in force.\n\n## ${LONGEST_WORD}\n\nIt has one long word.\n`;
  await person.upload(project, encodeURIComponent(DOCUMENT), text);
  await person.upload(project, 'short.md', `# Short\n\nSee ${LONGEST_WORD}.`);
  await person.chat(project, `What is the ${LONGEST_WORD.repeat(3)}?`);
  return project;
}

/** Pages whose names, titles or numbers are as long as they can be. */
export const extremeViews = (project: string): View[] => [
  {
    name: 'documents-long',
    show: async (visit) => {
      const page = await visit.open(`/p/${project}/documents?folder=${encodeURIComponent(`${LONGEST_WORD}/`)}`);
      await page.locator('.document-row').first().waitFor();
    },
  },
  {
    name: 'reading-long',
    show: async (visit) => {
      const page = await visit.open(`/p/${project}/documents/read/${DOCUMENT}`);
      await page.locator('.markdown h1').waitFor();
    },
  },
  {
    name: 'search-long',
    show: async (visit) => {
      const page = await visit.open(`/p/${project}/search?q=${LONGEST_WORD}`);
      await page.locator('.result').first().waitFor();
    },
  },
  {
    name: 'chat-long',
    show: async (visit) => {
      const page = await visit.open(`/p/${project}/chat`);
      await page.getByLabel('Your question').waitFor();
      await visit.ask(`What is the ${LONGEST_WORD.repeat(3)}?`);
      await visit.answer();
      await page.getByRole('button', { name: /^Passage 1:/ }).click();
      await page.locator('.passage-body').waitFor();
    },
  },
  {
    name: 'documents-many',
    show: async (visit) => {
      await visit.page.route(/\/documents\?/, (route) => {
        const query = new URL(route.request().url()).searchParams;
        const offset = Number(query.get('offset') ?? 0);
        const number = Math.min(Number(query.get('limit')), MANY - offset);
        const documents = Array.from({ length: number }, (_, index) => ({
          path: `note-${String(offset + index).padStart(5, '0')}.md`,
          version: 'v1',
          title: `Note ${offset + index}`,
          media_type: 'text/markdown',
          bytes: 1000 + 37 * index,
          updated_at: '2026-01-01T00:00:00.000Z',
        }));
        return route.fulfill({ json: { documents, total: MANY } });
      });
      const page = await visit.open(`/p/${project}/documents`);
      await page.getByText('10,000 documents').waitFor();
      await page.unroute(/\/documents\?/);
    },
  },
];
