import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Prepares each statement of a database once, when it is first needed. */
export function preparedBy(db: DatabaseSync): (sql: string) => StatementSync {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = db.prepare(sql)));
    return statement;
  };
}
