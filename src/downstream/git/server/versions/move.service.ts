import { Injectable } from '@nestjs/common';
import { badRequest } from '../../../../http/problem.js';
import { pathFault } from '../../../../contract/document-path.js';
import { GraphFeed } from '../graph/graph-feed.js';
import type { ProjectKey } from '../project-key.js';
import { isObjectName } from './git-command.js';
import { GitService } from './git.service.js';
import type { Relocation } from './repository.js';
import { type StoredVersion, VersionStore } from './version-store.js';

export interface MoveRequest extends Omit<Relocation, 'files'> {
  copy: boolean;
  documents: readonly Document[];
}

interface Document {
  from: string;
  to: string;
  fromVersion?: string | undefined;
  text?: string | undefined;
}

/** Commits moves and copies: each in one commit, which git shows as renames, and after which the history goes on. */
@Injectable()
export class MoveService {
  constructor(
    private readonly git: GitService,
    private readonly versions: VersionStore,
    private readonly feed: GraphFeed,
  ) {}

  /**
   * @returns the old paths of the documents whose text must be given, because the history lacks it; then nothing was done
   * @throws Problem 400 for a path that is no document's, 410 for a project that was dropped
   */
  async move(project: ProjectKey, request: MoveRequest): Promise<string[]> {
    for (const path of request.documents.flatMap(({ from, to }) => [from, to])) {
      const fault = pathFault(path);
      if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
    }
    const missing = await this.git.inTurn(project, async () => {
      this.git.requireAlive(project);
      return this.commit(project, request);
    });
    await this.feed.catchUp(project);
    return missing;
  }

  private async commit(project: ProjectKey, request: MoveRequest): Promise<string[]> {
    const documents = request.documents.filter(
      ({ to }) => this.versions.find(project, request.version, to) === undefined,
    );
    if (documents.length === 0) return [];
    const sources = new Map(documents.map((document) => [document.to, this.sourceOf(project, document)]));
    const missing = documents.filter(({ to, text }) => text === undefined && sources.get(to) === undefined);
    if (missing.length > 0) return missing.map(({ from }) => from);

    const { copy, documents: _all, ...commit } = request;
    const files = documents.map(({ from, to, text }) => ({
      left: !copy && this.isThere(project, from) ? from : null,
      to,
      text: text ?? (sources.get(to) as StoredVersion),
    }));
    const { commits, unrecorded } = await this.git.committed(project, [{ ...commit, files }]);
    const rows = documents.map(({ from, to }) => this.row(request, to, commits[0] as string, copy ? undefined : from));
    const left = files.flatMap(({ left }) => left ?? []).filter((path) => !sources.has(path));
    // The deletions come after the versions that refer to them, so that these do not count them as theirs.
    const deletions = left.map((path) => ({ ...this.row(request, path, commits[0] as string), deleted: true }));
    this.git.record(project, [...rows, ...deletions]);
    this.git.recorded(project, unrecorded, [request]);
    return [];
  }

  /** The version with the text; undefined where the history lacks it. */
  private sourceOf(project: ProjectKey, { from, fromVersion }: Document): StoredVersion | undefined {
    const found =
      fromVersion === undefined ? this.versions.last(project, from) : this.versions.find(project, fromVersion, from);
    return found === undefined || found.deleted || !isObjectName(found.commit) ? undefined : found;
  }

  private isThere(project: ProjectKey, path: string): boolean {
    return this.versions.last(project, path)?.deleted === false;
  }

  private row({ version, author, message, committedAt }: MoveRequest, path: string, commit: string, from?: string) {
    const written = { version, path, author: author.name, email: author.email, message, committed_at: committedAt };
    return { ...written, commit, deleted: false, ...(from !== undefined && { moved_from: from }) };
  }
}
