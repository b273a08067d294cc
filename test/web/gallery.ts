import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { pdfOfContents } from '../sample-files.ts';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { FakeLlm, says } from '../system/fake-llm.ts';
import type { Visit } from './browser.ts';
import { extremeProject, extremeViews } from './extreme-views.ts';
import { failedViews, loadingViews } from './unread-views.ts';

const ROOT = join(import.meta.dirname, '../..');
const ANSWER = `The question is written down first, so that **nothing is lost** when a service fails halfway [1]. The outbox delivers the turn once when the document store is back [2, 3].

| Away | What comes in its place |
| --- | --- |
| vector index | full-text search |
| billing | the charge is made later |

1. The turn is held in the outbox.
2. Credits are reserved; billing being away stops nobody [4].

$$\\sum_{n=1}^{3} b\\,2^{n-1} = 7b$$

\`\`\`ts
const turn = await turns.begin(userId, payload); // written first
\`\`\``;

/** Its second page is empty. */
const SCAN = new Uint8Array(pdfOfContents(['BT /F1 12 Tf 72 720 Td (Plums ripen in August.) Tj ET', ''], '', ''));

/** One page in one state. */
export interface View {
  name: string;
  /** Brings the page into that state; resolves when it is reached. */
  show: (visit: Visit) => Promise<unknown>;
  /** Undoes what would change the views after it. */
  leave?: (visit: Visit) => Promise<unknown>;
}

/** A system with one user with much data and one without, and every page in all its states. */
export class Gallery {
  private constructor(
    readonly caudex: Caudex,
    private readonly llm: FakeLlm,
    readonly person: Person,
    readonly newcomer: Person,
    private readonly project: string,
    private readonly emptyProject: string,
    private readonly conversation: string,
    private readonly longProject: string,
  ) {}

  static async prepare(): Promise<Gallery> {
    const llm = await FakeLlm.start();
    llm.behaviour = says(ANSWER);
    const caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      LLM_API_KEY: 'k',
      CAUDEX__AUTH__OPERATORS: '[operator@example.org]',
    }).catch(async (error: unknown) => {
      await llm.stop();
      throw error;
    });
    const [person, newcomer] = await Promise.all([caudex.signUp('operator@example.org'), caudex.signUp()]);
    // Before the other, since pages of no project show the newest one beside them.
    const longProject = await extremeProject(person);
    const project = await person.project('Caudex docs');
    const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
    for (const path of ['README.md', ...docs.map((name) => `docs/${name}`)]) {
      await person.upload(project, path, await readFile(join(ROOT, path), 'utf8'));
    }
    const notes = 'Pears ripen in September.\n\nStore them cold.\n';
    await person.upload(project, 'notes/garden.md', `# Garden\n\n${notes}`);
    await person.upload(project, 'notes/garden.md', `# Garden\n\n${notes.replace('cold', 'cold and dark')}`, 200);
    await person.request('PUT', `/v1/api/projects/${project}/documents/notes/scan.pdf`, SCAN, {
      'content-type': 'application/pdf',
    });
    const tags = JSON.stringify({ path: 'README.md', tags: ['overview', '2026'] });
    await person.request('PUT', `/v1/api/projects/${project}/tags`, tags, { 'content-type': 'application/json' });
    for (const path of ['notes/old.md', 'notes/plan-of-last-year.md']) {
      await person.upload(project, path, '# Old');
      await person.request('DELETE', `/v1/api/projects/${project}/documents/${path}?trash=true`);
    }
    await person.post('/v1/api/keys', { name: 'Notes sync', scopes: ['read'], project_id: project }, 201);
    const { conversation_id } = await person.chat(project, 'How long does a service stay closed off after it failed?');
    await person.chat(project, 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen '.repeat(3));
    await until('git has both versions', async () => {
      const path = `/v1/api/projects/${project}/history?path=notes/garden.md`;
      return (await person.get<{ total: number }>(path)).total === 2;
    });
    const emptyProject = await newcomer.project('Nothing yet');
    return new Gallery(caudex, llm, person, newcomer, project, emptyProject, conversation_id, longProject);
  }

  async end(): Promise<void> {
    await this.caudex.stop();
    await this.llm.stop();
  }

  /** Views without a signed-in user. */
  get strangers(): View[] {
    return [
      this.view('sign-in', '/sign-in', (page) => page.getByLabel('Password').waitFor()),
      {
        name: 'sign-in-error',
        show: async (visit) => {
          const page = await visit.open('/sign-in');
          await page.getByLabel('E-mail address').fill('nobody@example.org');
          await page.getByLabel('Password').fill('something');
          await page.locator('form .button-primary').click();
          await page.getByText('do not belong together').waitFor();
        },
      },
    ];
  }

  /** Views of a user without data. */
  get beginnings(): View[] {
    const of = (section: string) => `/p/${this.emptyProject}/${section}`;
    return [
      this.view('chat-empty', of('chat'), (page) => page.getByText('This project has no documents yet.').waitFor()),
      this.view('documents-empty', of('documents'), (page) => page.getByText('No documents yet').waitFor()),
      this.view('trash-empty', of('documents/trash'), (page) => page.getByText('The trash is empty').waitFor()),
      this.view('search-empty', `${of('search')}?q=pears`, (page) => page.getByText('has no documents yet').waitFor()),
      this.view('graph-empty', of('graph'), (page) => page.getByText('There is nothing to draw yet').waitFor()),
      this.view('usage-empty', '/usage', (page) => page.getByText('Nothing was spent yet').waitFor()),
      this.view('not-found', of('nothing'), (page) => page.getByText('There is nothing at this address').waitFor()),
      this.view('keys-empty', '/keys', (page) => page.getByText('No keys yet').waitFor()),
    ];
  }

  /** Every page before its data are there, and every page whose data cannot be read. */
  get unread(): View[] {
    const places = { project: this.project, conversation: this.conversation };
    return [...loadingViews(places), ...failedViews(places)];
  }

  /** Pages with the longest words, titles and lists. */
  get extreme(): View[] {
    return extremeViews(this.longProject);
  }

  /** A project with documents and conversations, and every service up. */
  get usual(): View[] {
    const of = (section: string) => `/p/${this.project}/${section}`;
    const reading = of('documents/read/notes/garden.md');
    return [
      this.view('chat-welcome', of('chat'), (page) => page.getByText('What do you want to know?').waitFor()),
      { name: 'chat', show: (visit) => this.asked(visit) },
      {
        name: 'chat-passage',
        show: async (visit) => {
          await this.asked(visit);
          await visit.page.getByRole('button', { name: /^Passage 1:/ }).click();
          await visit.page.locator('.passage mark').first().waitFor();
        },
      },
      {
        name: 'chat-versions',
        show: async (visit) => {
          await this.asked(visit);
          const { page } = visit;
          await page.getByRole('button', { name: 'Ask again' }).click();
          await page.getByText('2 / 2').waitFor();
          await page.getByRole('button', { name: 'Bad answer' }).click();
          await page.getByLabel('What was wrong? (optional)').waitFor();
        },
      },
      {
        name: 'chat-edit',
        show: async (visit) => {
          await this.asked(visit);
          await visit.page.getByRole('article', { name: 'You' }).hover();
          await visit.page.getByRole('button', { name: 'Edit' }).click();
          await visit.page.getByLabel('The question, edited').waitFor();
        },
      },
      {
        name: 'chat-find',
        show: async (visit) => {
          await this.asked(visit);
          const { page } = visit;
          await page.getByRole('button', { name: 'Find', exact: true }).click();
          await page.getByRole('searchbox', { name: 'Find in this conversation' }).fill('the');
          await page.getByText('1 of 1 question').waitFor();
        },
      },
      {
        name: 'chat-scope',
        show: async (visit) => {
          const page = await visit.open(of('chat'));
          await page.getByRole('button', { name: 'Whole project' }).click();
          await page.getByLabel('docs/', { exact: true }).check();
        },
      },
      {
        name: 'chat-instructions',
        show: async (visit) => {
          const page = await visit.open(of('chat'));
          await page.getByRole('button', { name: 'Instructions' }).click();
          await page.getByRole('textbox', { name: 'Instructions' }).waitFor();
        },
      },
      this.view('documents-warnings', of('documents?folder=notes/'), (page) => page.getByText('1 warning').waitFor()),
      {
        name: 'reading-warnings',
        show: async (visit) => {
          const page = await visit.open(of('documents/read/notes/scan.pdf'));
          await page.getByText('The text differs from the file in one way').click();
          await page.getByText('Plums ripen in August.').waitFor();
        },
      },
      this.view('reading-pages', of('documents/read/notes/scan.pdf?view=pages'), async (page) => {
        await page.getByText('Page 1 of 2').waitFor();
        await page.waitForTimeout(500);
      }),
      {
        name: 'documents-move',
        show: async (visit) => {
          const page = await visit.open(of('documents'));
          await page.getByRole('button', { name: 'Actions for notes/' }).click();
          await page.getByRole('menuitem', { name: 'Move or rename' }).click();
          await page.getByLabel('New path').fill('archive/notes/');
        },
      },
      {
        name: 'documents-chosen',
        show: async (visit) => {
          const page = await visit.open(of('documents'));
          await page.getByLabel('Choose notes/').check();
          await page.getByLabel('Choose README.md').check();
        },
      },
      {
        name: 'documents-moving',
        show: async (visit) => {
          const page = await visit.open(of('documents'));
          await page.getByLabel('Choose notes/').check();
          await page.getByLabel('Choose README.md').check();
          await page.getByRole('button', { name: 'Move', exact: true }).click();
          await page.getByRole('dialog').getByLabel('Folder').fill('archive/2026/');
        },
      },
      {
        name: 'documents-undeleted',
        show: async (visit) => {
          const page = await visit.open(of('documents'));
          const detail = 'The document store cannot be reached. Nothing was changed.';
          const json = { status: 500, code: 'fault', detail, title: '', type: '', request_id: '' };
          await page.route(/documents\/delete$/, (route) => route.fulfill({ status: 500, json }));
          await page.getByLabel('Choose notes/').check();
          await page.getByRole('button', { name: 'Delete' }).click();
          await page.getByText('2 of 2 documents could not be deleted').waitFor();
          await page.unroute(/documents\/delete$/);
        },
      },
      {
        name: 'trash',
        show: async (visit) => {
          const page = await visit.open(of('documents/trash'));
          await page.getByLabel('Choose notes/old.md').check();
        },
      },
      {
        name: 'trash-emptying',
        show: async (visit) => {
          const page = await visit.open(of('documents/trash'));
          await page.getByRole('button', { name: 'Empty the trash' }).click();
          await page.getByRole('dialog').waitFor();
        },
      },
      this.view('documents', of('documents'), (page) => page.getByText('Every document is indexed').waitFor()),
      this.view('reading', of('documents/read/README.md'), (page) =>
        page.locator('.related a').first().waitFor({ state: 'attached' }),
      ),
      this.view('edit', `${reading}?view=edit`, (page) => page.getByLabel('Text of the document').waitFor()),
      this.view('history', `${reading}?view=history`, (page) => page.locator('.diff-code-insert').first().waitFor()),
      this.view('blame', `${reading}?view=blame`, (page) => page.locator('.blamed').first().waitFor()),
      this.view('search', `${of('search')}?q=outbox`, (page) => page.locator('.result').first().waitFor()),
      this.view('search-filters', `${of('search')}?q=outbix&type=md&explain=true&mode=fulltext`, async (page) => {
        await page.getByText('Showing results for').waitFor();
        await page.locator('.result-why').first().waitFor();
      }),
      this.view('graph', of('graph'), (page) => page.locator('.node-label').first().waitFor()),
      {
        name: 'graph-chosen',
        show: async (visit) => {
          const page = await visit.open(of('graph?from=README.md'));
          await page.locator('.node-label-chosen').waitFor();
        },
      },
      this.view('status', '/status', (page) => page.getByText('Everything works.').waitFor()),
      this.view('usage', '/usage', (page) => page.locator('.plot canvas').waitFor()),
      this.view('keys', '/keys', (page) => page.locator('.key').first().waitFor()),
      {
        name: 'keys-made',
        show: async (visit) => {
          const page = await visit.open('/keys');
          const key = {
            id: 'k1',
            key: 'caudex_sample_of_a_key_that_opens_nothing_0123456789',
            name: 'Laptop',
            scopes: ['read', 'write', 'chat'],
            project_id: null,
            created_at: '2026-01-01T00:00:00.000Z',
            expires_at: null,
            last_used_at: null,
          };
          await page.route('**/v1/api/keys', (route) =>
            route.request().method() === 'POST' ? route.fulfill({ status: 201, json: key }) : route.continue(),
          );
          await page.getByLabel('Name', { exact: true }).fill('Laptop');
          await page.getByRole('button', { name: 'Make the key' }).click();
          await page.locator('.made-key-text').waitFor();
          await page.unroute('**/v1/api/keys');
        },
      },
      this.view('projects', '/projects', (page) => page.locator('.project').first().waitFor()),
    ];
  }

  /** Chroma, git and billing are down. The last view leaves its browser offline. */
  get degraded(): View[] {
    const of = (section: string) => `/p/${this.project}/${section}`;
    const history = of('documents/read/notes/garden.md?view=history');
    return [
      { name: 'chat-degraded', show: (visit) => this.asked(visit, 'Answered from full text') },
      this.view('search-degraded', `${of('search')}?q=outbox`, (page) =>
        page.getByText('Found by full text').waitFor(),
      ),
      this.view('history-degraded', history, (page) => page.getByText('The history cannot be read').waitFor()),
      this.view('graph-degraded', of('graph'), (page) => page.getByText('The graph cannot be read').waitFor()),
      // Where they were read before, the last figures are shown.
      this.view('usage-degraded', '/usage', (page) => page.getByText(/Billing cannot be read|Credits left/).waitFor()),
      this.view('status-degraded', '/status', (page) => page.getByText('The vector index is away.').waitFor()),
      {
        name: 'chat-offline',
        show: async (visit) => {
          const page = await visit.open(of('chat'));
          await page.getByLabel('Your question').waitFor();
          await visit.context.setOffline(true);
          await visit.ask('What is kept while nothing can be reached?');
          await page.getByText('Kept. It is sent when the backend is back.').waitFor();
          await page.evaluate(() => localStorage.clear());
        },
      },
    ];
  }

  /** Waits until their breakers are open, so that no request waits for them. */
  async takeDown(): Promise<void> {
    const down = ['chroma', 'git', 'billing'] as const;
    await Promise.all(down.map((app) => this.caudex.kill(app)));
    for (const app of down) {
      await until(`${app} is known to be away`, async () => {
        await Promise.allSettled([
          this.person.search(this.project, 'pears'),
          this.person.get(`/v1/api/projects/${this.project}/history`),
          this.person.get('/v1/api/billing/balance'),
        ]);
        return (await this.caudex.breaker(app)).state === 'open';
      });
    }
  }

  private view(name: string, path: string, ready: (page: Page) => Promise<unknown>): View {
    return { name, show: async (visit) => ready(await visit.open(path)) };
  }

  private async asked(visit: Visit, line?: string): Promise<void> {
    const page = await visit.open(`/p/${this.project}/chat`);
    await page.getByLabel('Your question').waitFor();
    await visit.ask('Why is a question written down before it is answered?');
    await visit.answer();
    if (line !== undefined) await page.getByText(line).waitFor();
    // The code that draws formulas is loaded with the first one, which only the model's answer has.
    else await page.locator('math').first().waitFor();
  }
}
