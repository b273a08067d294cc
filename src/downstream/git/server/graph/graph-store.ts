import type { GraphEdge, GraphNode } from '../../git.contract.js';
import type { DocumentFacts } from './document-facts.js';
import { keyOf } from './document-names.js';
import type { ProjectKey } from '../project-key.js';

export const GRAPH_STORE = Symbol('GraphStore');

export interface Related {
  path: string;
  /** Higher is nearer. */
  score: number;
  /** What joins the two, for people: a link or a shared term. */
  reasons: string[];
}

/** One change of one document, as the graph sees it. */
export interface GraphChange {
  path: string;
  /** What its text says now; null: it was deleted; undefined: a later change of it, which is on its way, tells. */
  facts: DocumentFacts | null | undefined;
  author: { name: string; email: string };
  message: string;
  commit: string;
}

/** The graph is not there to take or give anything; whoever asked may ask again later. */
export class GraphAway extends Error {
  constructor(cause: unknown) {
    super(`the graph is away: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'GraphAway';
  }
}

/**
 * Documents, headings, terms, people and commits of a project, and what joins them. Every call is keyed by user and
 * project; any may reject with {@link GraphAway}.
 */
/** The id of the node for a name that no document has yet; the edges to it move to the first document of that name. */
export const namelessId = (name: string) => `name:${keyOf(name)}`;

export interface GraphStore {
  /**
   * Brings the graph in step with one change; the same change again changes nothing. `facts.names` are names that no
   * document has.
   */
  apply(project: ProjectKey, change: GraphChange): Promise<void>;
  /** Documents first, then headings, people, terms and commits, `limit` nodes in all, and the edges between these. */
  graph(project: ProjectKey, limit: number): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }>;
  /** Best first. A link counts 3, a shared term its part among the documents that share it. */
  related(project: ProjectKey, path: string, limit: number): Promise<Related[]>;
  /**
   * Those of the documents `among` that a link or a shared term joins to one of `to`, scored as by {@link related}. Its
   * cost depends on these documents alone, not on how many others share their terms.
   */
  near(project: ProjectKey, to: readonly string[], among: readonly string[]): Promise<Related[]>;
  drop(project: ProjectKey): Promise<void>;
  close(): Promise<void>;
}

/** How much a link says about two documents belonging together, against a term that only these two share. */
const LINK_WEIGHT = 3;
/** A term that more documents than this mention joins none of them. */
export const MAX_SHARED = 50;
const MAX_REASONS = 5;

/** What joins two documents: a link between them, or a term that `sharedBy` documents have. */
export type Tie = { path: string } & ({ link: 'from_here' | 'to_here' } | { term: string; sharedBy: number });

/** Sums up the ties of one document. A term that many documents share says little. */
export function rankTies(ties: readonly Tie[], limit: number): Related[] {
  const found = new Map<string, Related>();
  for (const tie of ties) {
    const related = found.get(tie.path) ?? { path: tie.path, score: 0, reasons: [] };
    found.set(tie.path, related);
    related.score += 'link' in tie ? LINK_WEIGHT : 1 / Math.max(1, tie.sharedBy - 1);
    if (related.reasons.length < MAX_REASONS) related.reasons.push(reasonOf(tie));
  }
  return [...found.values()].sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1)).slice(0, limit);
}

function reasonOf(tie: Tie): string {
  if ('term' in tie) return `both mention "${tie.term}"`;
  return tie.link === 'from_here' ? 'linked from here' : 'links here';
}
