import type { Caudex, Person } from '../system/caudex.js';

const EVERY_MS = 500;

export interface Trouble {
  what: string;
  /** True for an answer that was valid but later than its limit. */
  late: boolean;
}

export interface Seen {
  /** Answers that were not 2xx or were degraded, and breakers that were not closed. */
  troubles: Trouble[];
  requests: number;
  p99Ms: number;
}

/** A user who makes ordinary requests twice a second and records every answer that is not healthy. */
export class Bystander {
  private count = 0;

  constructor(
    private readonly caudex: Caudex,
    private readonly person: Person,
    private readonly project: string,
  ) {}

  watch(): { end: () => Promise<Seen> } {
    const troubles: Trouble[] = [];
    const note = (what: string) => {
      const late = /indexed: queued|"reason":"(?:deadline|timeout)"/.test(what);
      troubles.push({ what, late });
    };
    const took: number[] = [];
    const running = new Set<Promise<void>>();
    const act = () => {
      for (const [what, ask] of this.acts(++this.count)) {
        const one = this.timed(ask, took).then(
          (trouble) => void (trouble !== undefined && note(`${what}: ${trouble}`)),
          (error: unknown) => note(`${what}: ${String(error).slice(0, 300)}`),
        );
        running.add(one);
        void one.finally(() => running.delete(one));
      }
    };
    act();
    const timer = setInterval(act, EVERY_MS);
    return {
      end: async () => {
        clearInterval(timer);
        await Promise.all(running);
        const sorted = took.sort((a, b) => a - b);
        const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
        return { troubles, requests: took.length, p99Ms };
      },
    };
  }

  /** The requests, each with a check of the answer. */
  private acts(n: number): [what: string, ask: () => Promise<string | undefined>][] {
    const { person, project } = this;
    const degraded = ({ degraded, degradation }: { degraded: boolean; degradation: unknown }) =>
      degraded ? JSON.stringify(degradation) : undefined;
    return [
      ['search', async () => degraded(await person.search(project, `pears ${n}`))],
      ['chat', async () => degraded(await person.chat(project, `When do pears ripen? (${n})`))],
      [
        'upload',
        async () => {
          const { indexed } = await person.upload(project, `note${n}.md`, `# Note ${n}\n\nQuinces of the year ${n}.`);
          return indexed === 'done' ? undefined : `indexed: ${indexed}`;
        },
      ],
      ['history', async () => void (await person.get(`/v1/api/projects/${project}/history?limit=5`))],
      [
        'status',
        async () => {
          const { services } = (await (await fetch(`${this.caudex.url}/v1/api/status/services`)).json()) as {
            services: Record<string, { state: string }>;
          };
          const open = Object.entries(services).filter(([, { state }]) => state !== 'closed');
          return open.length === 0 ? undefined : JSON.stringify(open.map(([name, { state }]) => [name, state]));
        },
      ],
    ];
  }

  private async timed(ask: () => Promise<string | undefined>, took: number[]): Promise<string | undefined> {
    const beganMs = performance.now();
    try {
      return await ask();
    } finally {
      took.push(performance.now() - beganMs);
    }
  }
}
