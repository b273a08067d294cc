import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { Caudex, type Person } from '../system/caudex.ts';

const CHROMIUM = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));
const BUILT = existsSync(join(import.meta.dirname, '../../web/dist/index.html'));

/** `describe`, skipped where there is no browser. */
export const describeInBrowser = (title: string, tests: () => void): void => {
  if (CHROMIUM !== undefined && BUILT) return describe(title, tests);
  const missing = BUILT ? 'Chromium (or its path in CHROMIUM)' : 'a built page (npm run build:web)';
  console.warn(`Skipped, since ${missing} is missing: ${title}`);
  describe.skip(title, tests);
};

export const launchBrowser = (): Promise<Browser> =>
  // Chromium's sandbox needs rights that a container does not have.
  chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });

/** A browser with the cookie of one user. Errors of the page are collected. */
export class Visit {
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly url: string,
  ) {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // The browser also prints responses with an error status that the page handles.
      const refusal = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !refusal) this.complaints.push(message.text());
    });
  }

  /** @param person a signed-in user; undefined: not signed in */
  static async begin(
    browser: Browser,
    url: string,
    person?: Person,
    { width = 1280, theme = 'light' }: { width?: number; theme?: 'light' | 'dark' } = {},
  ): Promise<Visit> {
    const viewport = { width, height: width < 500 ? 740 : width > 2000 ? 1300 : 800 };
    const context = await browser.newContext({
      viewport,
      colorScheme: theme,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    if (person !== undefined) {
      await context.addCookies([{ name: 'auth_token', value: person.token, url, httpOnly: true, sameSite: 'Lax' }]);
    }
    context.setDefaultTimeout(15_000);
    return new Visit(context, await context.newPage(), url);
  }

  /** A further tab of the same browser. */
  async tab(): Promise<Visit> {
    return new Visit(this.context, await this.context.newPage(), this.url);
  }

  async open(path: string): Promise<Page> {
    await this.page.goto(this.url + path);
    return this.page;
  }

  async ask(question: string): Promise<void> {
    await this.page.getByLabel('Your question').fill(question);
    await this.page.keyboard.press('Enter');
  }

  /** Resolves when the last answer is complete, to its text. */
  async answer(number = 1): Promise<string> {
    const answer = this.page.getByRole('article', { name: 'Answer' }).nth(number - 1);
    await answer.getByRole('button', { name: 'Ask again' }).waitFor();
    return answer.locator('.markdown').innerText();
  }

  async end(): Promise<void> {
    await this.context.close();
  }
}

export interface OnPage {
  caudex: Caudex;
  person: Person;
  /** An empty project of the person. */
  project: string;
  visit: Visit;
}

/**
 * Starts a system and a browser for a `describe`. Each test gets a new person with a project, and a page that must not
 * report an error.
 */
export function eachOnPage(use: (on: OnPage) => void): void {
  let caudex: Caudex;
  let browser: Browser;
  let visit: Visit;
  beforeAll(async () => {
    [browser, caudex] = await Promise.all([launchBrowser(), Caudex.start()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });
  beforeEach(async () => {
    const person = await caudex.signUp();
    const project = await person.project('Garden');
    visit = await Visit.begin(browser, caudex.url, person);
    use({ caudex, person, project, visit });
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });
}
