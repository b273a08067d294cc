import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';
import { inventoryQuery, inventorySchema } from '../../contract/inventory.contract.js';

const id = z.string().min(1).max(200);
const path = z.string().min(1);
/** The id of a project is the name of a folder. */
const project_id = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'letters, digits, "_" and "-" are taken');
const inProject = z.strictObject({ project_id });
const inImport = z.strictObject({ project_id, import_id: id });
const paging = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
};

export const versionSchema = z
  .object({
    /** The document's version id, as the upload returned it; for an imported commit its hash. */
    version: id,
    path,
    author: z.string(),
    message: z.string(),
    committed_at: z.string(),
    /** The path before, where this change moved the document. */
    moved_from: path.optional(),
  })
  .meta({ title: 'Version' });
export type Version = z.output<typeof versionSchema>;

/** Which changes: of one document, within a time range (`until` excluded), matching some words. */
const which = {
  path: path.optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** Each of its words, stemmed, must occur in the path or in the message. */
  text: z.string().max(1000).optional(),
};

export const importSchema = z.object({
  import_id: id,
  source: z.string(),
  branch: z.string().nullable(),
  state: z.enum(['running', 'done', 'failed']),
  /** How many commits were imported that were not known before, including those before a restart. */
  imported_commits: z.int(),
  /** How many files at the head are documents. */
  files: z.int(),
  /**
   * How many files at the head are not documents: links, submodules, binary files, files that are too large, paths that
   * are not accepted.
   */
  skipped: z.int(),
  /** Why it failed, as text for people. */
  detail: z.string().nullable(),
});
export type Import = z.output<typeof importSchema>;

export const graphNodeSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['document', 'heading', 'commit', 'person', 'term']),
    label: z.string(),
  })
  .meta({ title: 'GraphNode' });
export const graphEdgeSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    kind: z.enum(['contains', 'links_to', 'changed', 'authored', 'mentions']),
  })
  .meta({ title: 'GraphEdge' });
export type GraphNode = z.output<typeof graphNodeSchema>;
export type GraphEdge = z.output<typeof graphEdgeSchema>;

/** One change of one document. `text: null` deletes the document. */
const changeSchema = z.strictObject({
  path,
  version: id,
  text: z.string().nullable(),
  author: z.strictObject({ name: z.string().min(1), email: z.string() }),
  message: z.string().min(1),
  /** UTC, ISO 8601: when the document was changed, which may be long before the git server received the change. */
  committed_at: z.string(),
});
/** Documents under new paths; without `copy` they leave the old ones. */
const moveSchema = z.strictObject({
  version: id,
  copy: z.boolean(),
  author: z.strictObject({ name: z.string().min(1), email: z.string() }),
  message: z.string().min(1),
  /** UTC, ISO 8601. */
  committed_at: z.string(),
  documents: z
    .array(
      z.strictObject({
        from: path,
        to: path,
        /** The version under the old path; by default the newest. */
        from_version: id.optional(),
        /** For a document of which the history lacks that version. */
        text: z.string().optional(),
      }),
    )
    .min(1)
    .max(1000),
});
/** Of one call. */
export const MAX_COMMITS = 200;
const committed = z.object({ commit: z.string(), version: id });

/** The place of a version in the order of arrival at one git server, from 1 on. */
const position = z.coerce.number().int().min(0);
const wholeVersionSchema = z.object({
  ...versionSchema.shape,
  position,
  /** Of the author; may be empty. */
  email: z.string(),
  /** null: deleted. */
  text: z.string().nullable(),
});
export type WholeVersion = z.output<typeof wholeVersionSchema>;

/** One git repository and one graph for each user and project; both are created by the first commit. */
export const gitContract = {
  /** Commits a change once for each version id. */
  commit: {
    method: 'POST',
    path: '/projects/:project_id/commits',
    params: inProject,
    body: changeSchema,
    response: committed,
    idempotent: true,
  },
  /** {@link commit} for changes of several documents, in their order, all or none. */
  commits: {
    method: 'POST',
    path: '/projects/:project_id/commits/batch',
    params: inProject,
    body: z.strictObject({
      changes: z
        .array(changeSchema)
        .min(1)
        .max(MAX_COMMITS)
        .refine(
          (changes) => new Set(changes.map((change) => change.path)).size === changes.length,
          'two changes are of the same path; send them one after the other',
        ),
    }),
    response: z.object({ commits: z.array(committed) }),
    idempotent: true,
  },
  /**
   * Commits a move or a copy, once for each version id, in one commit. The history of a moved document goes on. `missing`:
   * the old paths of documents whose text the history lacks; then nothing was committed, and the call is to be repeated
   * with the texts.
   */
  move: {
    method: 'POST',
    path: '/projects/:project_id/moves',
    params: inProject,
    body: moveSchema,
    response: z.object({ missing: z.array(path) }),
    idempotent: true,
  },
  /** Newest first; of one document, also under the paths that it was moved from, or of the whole project. A project without commits has an empty history. */
  history: {
    method: 'GET',
    path: '/projects/:project_id/history',
    params: inProject,
    query: z.strictObject({ ...which, ...paging }),
    response: z.object({ versions: z.array(versionSchema), total: z.int() }),
    idempotent: true,
  },
  /** The newest changes with the diff of each, which is truncated after about 4,000 characters. */
  changes: {
    method: 'GET',
    path: '/projects/:project_id/changes',
    params: inProject,
    query: z.strictObject({ ...which, limit: z.coerce.number().int().min(1).max(20).default(5) }),
    response: z.object({ changes: z.array(versionSchema.extend({ commit: z.string(), diff: z.string() })) }),
    idempotent: true,
  },
  /** The documents of each project at the newest version. The digest covers their paths and versions. */
  inventory: {
    method: 'GET',
    path: '/inventory',
    query: inventoryQuery,
    response: inventorySchema,
    idempotent: true,
  },
  /** {@link inventory} of all versions: `documents` is their number, and the digest covers their paths and ids. */
  versionInventory: {
    method: 'GET',
    path: '/inventory/versions',
    query: inventoryQuery,
    response: inventorySchema,
    idempotent: true,
  },
  /** The documents of a project that were not deleted, each with its newest version, by path. */
  heads: {
    method: 'GET',
    path: '/projects/:project_id/heads',
    params: inProject,
    query: z.strictObject(paging),
    response: z.object({ documents: z.array(z.object({ path, version: id })), total: z.int() }),
    idempotent: true,
  },
  /** Those of the given versions that are not in the history. */
  unknown: {
    method: 'POST',
    path: '/projects/:project_id/unknown',
    params: inProject,
    body: z.strictObject({ documents: z.array(z.strictObject({ path, version: id })).max(1000) }),
    response: z.object({ documents: z.array(z.object({ path, version: id })) }),
    idempotent: true,
  },
  /** All versions in the order of their arrival, from the one behind the position `after` on; empty behind the last one. */
  versions: {
    method: 'GET',
    path: '/projects/:project_id/versions',
    params: inProject,
    query: z.strictObject({ after: position }),
    response: z.object({ versions: z.array(z.object({ position, path, version: id })) }),
    idempotent: true,
  },
  /** {@link versions} with their texts, as many as fit into an answer: what {@link fill} takes at another git server. */
  wholeVersions: {
    method: 'GET',
    path: '/projects/:project_id/versions/whole',
    params: inProject,
    query: z.strictObject({ after: position }),
    response: z.object({ versions: z.array(wholeVersionSchema) }),
    idempotent: true,
  },
  /**
   * Takes the versions of another git server, in their order and in parts; one that was taken before is ignored. With `done`
   * they become the history, followed by the versions that only this server has. `after`: the position of the last version
   * that was taken, 0 at the beginning. `source` names the other server and its start: what was taken from another source is
   * discarded, because positions differ.
   */
  fill: {
    method: 'POST',
    path: '/projects/:project_id/fill',
    params: inProject,
    body: z.strictObject({ source: id, versions: z.array(wholeVersionSchema).max(MAX_COMMITS), done: z.boolean() }),
    response: z.object({ after: position }),
    idempotent: true,
  },
  /**
   * Starts to fetch a repository with its history. A call with the same import_id returns the progress, or restarts the
   * import where a restart of the server ended it. 403 `import_not_allowed` for a source that the configuration does
   * not allow.
   */
  startImport: {
    method: 'POST',
    path: '/projects/:project_id/imports',
    params: inProject,
    body: z.strictObject({
      import_id: id,
      source: z.string().min(1).max(2000),
      branch: z.string().max(200).optional(),
    }),
    response: importSchema,
    idempotent: true,
  },
  /**
   * The imported files at the head, by path; `version` is that of the last commit that changed the file. 404 for an
   * unknown import: after a restart of the server the import must be started again.
   */
  importedFiles: {
    method: 'GET',
    path: '/projects/:project_id/imports/:import_id/files',
    params: inImport,
    query: z.strictObject(paging),
    response: z.object({ files: z.array(z.object({ path, version: id, deleted: z.boolean() })), total: z.int() }),
    idempotent: true,
  },
  /** 404 `version_not_found`; `text` is null where the version is a deletion. */
  textAt: {
    method: 'GET',
    path: '/projects/:project_id/text',
    params: inProject,
    query: z.strictObject({ path, version: id }),
    response: z.object({ path, version: id, text: z.string().nullable() }),
    idempotent: true,
  },
  /** A unified diff by lines between two versions of a document. */
  diff: {
    method: 'GET',
    path: '/projects/:project_id/diff',
    params: inProject,
    query: z.strictObject({ path, from: id, to: id }),
    response: z.object({ path, from: id, to: id, diff: z.string() }),
    idempotent: true,
  },
  /** Who last changed each line of a document at a version. */
  blame: {
    method: 'GET',
    path: '/projects/:project_id/blame',
    params: inProject,
    query: z.strictObject({ path, version: id.optional() }),
    response: z.object({
      path,
      lines: z.array(
        z.object({ line: z.int(), text: z.string(), version: id, author: z.string(), committed_at: z.string() }),
      ),
    }),
    idempotent: true,
  },
  /**
   * Writes the whole history to a git bundle, to be read in parts and with `git clone` on any machine. `bundle_id` is null
   * where there is no commit. The bundle is kept for some minutes.
   */
  createBundle: {
    method: 'POST',
    path: '/projects/:project_id/bundles',
    params: inProject,
    response: z.object({ bundle_id: id.nullable(), bytes: z.int().min(0) }),
    idempotent: true,
  },
  /** A part of a bundle; empty behind its end. 404 where it is not kept any more. */
  readBundle: {
    method: 'GET',
    path: '/projects/:project_id/bundles/:bundle_id',
    params: z.strictObject({ project_id, bundle_id: z.uuid() }),
    query: z.strictObject({ offset: z.coerce.number().int().min(0) }),
    response: z.object({ content_base64: z.base64() }),
    idempotent: true,
  },
  dropProject: {
    method: 'DELETE',
    path: '/projects/:project_id',
    params: inProject,
    response: z.object({ removed: z.boolean() }),
    idempotent: true,
  },
  /** 424 `graph_away`, as for `related`: the history does not depend on the graph. */
  graph: {
    method: 'GET',
    path: '/projects/:project_id/graph',
    params: inProject,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(5000).default(1000) }),
    response: z.object({ nodes: z.array(graphNodeSchema), edges: z.array(graphEdgeSchema) }),
    idempotent: true,
  },
  /**
   * Changes of any project that were set aside because they failed, or ended the server, too often. The graph is
   * updated without them. Oldest first.
   */
  setAside: {
    method: 'GET',
    path: '/set-aside',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    response: z.object({
      changes: z.array(
        z.object({ user_id: z.string(), project_id: z.string(), path: z.string(), tries: z.int(), reason: z.string() }),
      ),
    }),
    idempotent: true,
  },
  /** Documents related to this one in the graph, best first, each with the reasons. */
  related: {
    method: 'GET',
    path: '/projects/:project_id/related',
    params: inProject,
    query: z.strictObject({ path, limit: z.coerce.number().int().min(1).max(100).default(10) }),
    response: z.object({
      related: z.array(z.object({ path, score: z.number(), reasons: z.array(z.string()) })),
    }),
    idempotent: true,
  },
  /** Which of the documents `among` are related to one of `to`, best first, scored as in `related`. Read-only. */
  near: {
    method: 'POST',
    path: '/projects/:project_id/near',
    params: inProject,
    body: z.strictObject({ to: z.array(path).min(1).max(20), among: z.array(path).min(1).max(100) }),
    response: z.object({ near: z.array(z.object({ path, score: z.number() })) }),
    idempotent: true,
    safe: true,
  },
} as const satisfies ServiceContract;
