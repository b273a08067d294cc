import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { HistoryCopies } from '../copies/copies.module.js';
import { GitClient } from '../../downstream/git/git.client.js';
import type { Passage } from '../../contract/passage.contract.js';
import { DocumentSync } from '../documents/document-sync.service.js';
import { withoutRetries } from '../call/waiting.js';
import type { UserCall } from '../call/public-call.js';
import { type ChangeQuestion, changeQuestion } from './change/change-question.js';
import { commitPassage, waitingPassage } from './change/commit-passage.js';
import type { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { joinNeighbours } from './neighbours.js';
import { Retrieval, type RetrievalQuery, type Retrieved } from './retrieval.service.js';

/** How far below the best passages in the ranking a passage of a related document may be. */
const FURTHER = 10;
const RELATED_TO = 3;
const RELATED_PASSAGES = 2;
/** The smallest score of a relation: a link has 3, a term that three documents share 0.5, more common terms less. */
const NEAR = 0.5;
const COMMITS = 5;
const HISTORY_MS = 2000;

/**
 * The passages for a chat: those of a search, then some of documents that the graph relates to them, and first, for a
 * question about changes, the commits. If git is unavailable or slow, only its passages are missing.
 */
@Injectable()
export class ChatPassages {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly retrieval: Retrieval,
    private readonly git: GitClient,
    private readonly histories: HistoryCopies,
    private readonly sync: DocumentSync,
  ) {}

  async gather(
    question: string,
    query: RetrievalQuery,
    call: UserCall,
    checking: Promise<DownstreamError | undefined>,
  ): Promise<Retrieved> {
    const asked = changeQuestion(question, new Date());
    const commitsOf = asked && this.commits(asked, query.projectId, call);
    const found = await this.retrieval.retrieve({ ...query, limit: query.limit + FURTHER }, call, checking);
    const best = found.results.slice(0, query.limit);
    const further = found.results.slice(query.limit);
    const [commits, related] = await Promise.all([
      commitsOf === undefined ? [] : this.orNothing(commitsOf(best), call),
      this.orNothing(this.related(query.projectId, best, further, call), call),
    ]);
    const results = [...commits, ...joinNeighbours([...best, ...related])];
    if (commits.length === 0) return { ...found, results };
    // Commits are found by the words and the time span of the question.
    return { ...found, results, outcome: 'found', source: found.source === 'none' ? 'fulltext' : found.source };
  }

  /** Of the lower-ranked passages, those of documents that are related to the best ones. */
  private async related(
    projectId: string,
    best: readonly Passage[],
    further: readonly Passage[],
    call: UserCall,
  ): Promise<Passage[]> {
    const { graph_budget_ms } = this.config.search;
    const known = documentsOf(best);
    const candidates = further.filter(({ document }) => !known.includes(document));
    if (candidates.length === 0 || graph_budget_ms === 0) return [];
    const asked = {
      params: { project_id: projectId },
      body: { to: known.slice(0, RELATED_TO), among: documentsOf(candidates) },
    };
    const reading = await this.histories.of(projectId, call);
    const { near } = await withoutRetries('git', reading, (own) => this.git.near(asked, own), graph_budget_ms);
    const related = new Set(near.filter(({ score }) => score >= NEAR).map(({ path }) => path));
    return candidates.filter(({ document }) => related.has(document)).slice(0, RELATED_PASSAGES);
  }

  /**
   * Searches at once for commits by the words of the question in path and message. If there are none, the commits of
   * the documents that the search found first are used.
   */
  private commits(
    asked: ChangeQuestion,
    projectId: string,
    call: UserCall,
  ): (best: readonly Passage[]) => Promise<Passage[]> {
    const { about, sure } = asked;
    const words = about === '' ? {} : { text: about };
    // A user may ask about a change directly after saving it, before it is committed.
    const committed = this.sync.committed(call.userId, projectId, undefined);
    const named = committed.then(() => this.changes(asked, projectId, { ...words, limit: COMMITS }, call));
    named.catch(() => undefined);
    return async (best) => {
      const waiting = await this.waiting(asked, projectId, call);
      const committed = await this.orNothing(
        named.then((changes) => changes.map(commitPassage)),
        call,
      );
      const found = [...waiting, ...committed].slice(0, COMMITS);
      if (found.length > 0 || about === '' || !sure) return found;
      const documents = documentsOf(best).slice(0, 2);
      const changes = documents.map((path) => this.changes(asked, projectId, { path, limit: 2 }, call));
      return (await Promise.all(changes)).flat().map(commitPassage);
    };
  }

  /**
   * Changes that are not committed yet, newest first. Without them the answer could wrongly be that nothing was
   * changed.
   */
  private async waiting(
    { since, until, about }: ChangeQuestion,
    projectId: string,
    call: UserCall,
  ): Promise<Passage[]> {
    const words = about.toLowerCase().split(' ').filter(Boolean);
    const changes = (await this.sync.uncommitted(call.userId, projectId)).filter(
      ({ path, message, committed_at }) =>
        (since === undefined || committed_at >= since) &&
        (until === undefined || committed_at < until) &&
        words.every((word) => `${path} ${message}`.toLowerCase().includes(word)),
    );
    return changes
      .slice(-COMMITS)
      .reverse()
      .map(({ path, author, message, committed_at, text }) =>
        waitingPassage({ path, author: author.name, message, committed_at, deleted: text === null }),
      );
  }

  private async changes(
    { sure: _, about: __, ...span }: ChangeQuestion,
    projectId: string,
    which: { text?: string; path?: string; limit: number },
    call: UserCall,
  ) {
    const params = { project_id: projectId };
    const query = { ...span, ...which };
    const reading = await this.histories.of(projectId, call);
    const asking = withoutRetries('git', reading, (own) => this.git.changes({ params, query }, own), HISTORY_MS);
    return (await asking).changes;
  }

  private async orNothing(asking: Promise<Passage[]>, { degradation }: UserCall): Promise<Passage[]> {
    return asking.catch((error: unknown) => {
      if (!degradation.list.some(({ service }) => service === 'git')) degradation.add('git', error, 'none');
      return [];
    });
  }
}

const documentsOf = (passages: readonly Passage[]) => [...new Set(passages.map(({ document }) => document))];
