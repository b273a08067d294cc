import { DatabaseSync } from 'node:sqlite';
import { GroupCommit } from './group-commit.js';

describe('GroupCommit', () => {
  let db: DatabaseSync;
  /** What the writes change in memory. */
  let counted = 0;
  let group: GroupCommit;
  const begun: string[] = [];
  const insert = (text: string) => () => {
    db.prepare('INSERT INTO t VALUES (?)').run(text);
    counted++;
    return text;
  };
  const stored = () =>
    db
      .prepare('SELECT x FROM t ORDER BY rowid')
      .all()
      .map(({ x }) => x);

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE t (x TEXT UNIQUE)');
    begun.length = 0;
    const exec = db.exec.bind(db);
    db.exec = (sql) => {
      if (sql.startsWith('BEGIN')) begun.push(sql);
      exec(sql);
    };
    counted = 0;
    group = new GroupCommit(db, () => {
      const before = counted;
      return () => (counted = before);
    });
  });
  afterEach(() => db.close());

  it('makes the writes of one turn in one transaction, in their order', async () => {
    expect(await Promise.all(['a', 'b', 'c'].map((text) => group.run(insert(text))))).toEqual(['a', 'b', 'c']);
    expect(stored()).toEqual(['a', 'b', 'c']);
    expect(begun).toHaveLength(1);
  });

  it('undoes a write that fails, and only that one', async () => {
    const failing = () => {
      insert('half')();
      throw new Error('no good');
    };
    const outcomes = await Promise.allSettled([group.run(insert('a')), group.run(failing), group.run(insert('c'))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual(['a', 'c']);
    expect(counted).toBe(2);
  });

  it('repeats each write alone where one of them ends the transaction, as a full disk does', async () => {
    const full = () => {
      insert('too much')();
      db.exec('ROLLBACK');
      throw new Error('database or disk is full');
    };
    const outcomes = await Promise.allSettled([group.run(insert('a')), group.run(full), group.run(insert('c'))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual(['a', 'c']);
    expect(counted).toBe(2);
  });

  it('rejects a write whose commit fails', async () => {
    db.exec(
      `PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);
       CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)`,
    );
    const orphan = () => void db.prepare('INSERT INTO c VALUES (7)').run();
    const outcomes = await Promise.allSettled([group.run(insert('a')), group.run(orphan)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(stored()).toEqual(['a']);
    expect(db.prepare('SELECT count(*) AS n FROM c').get()).toEqual({ n: 0 });
  });

  it('makes waiting writes when it is flushed', async () => {
    const write = group.run(insert('a'));
    group.flush();
    expect(stored()).toEqual(['a']);
    expect(await write).toBe('a');
  });
});
