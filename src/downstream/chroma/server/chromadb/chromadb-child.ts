// Runs ChromaDB in this process until the parent process ends, for any reason: node chromadb-child.js DIR PORT
import { createRequire } from 'node:module';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

interface Binding {
  /** Runs the command line of ChromaDB. Returns when the server ends, which it never does by itself. */
  cli(args: string[]): void;
}

if (isMainThread) {
  // The native call cannot be interrupted. ChromaDB keeps acknowledged writes through a kill.
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', end);
  process.on('SIGTERM', end);
  process.on('SIGINT', () => undefined); // Ctrl-C goes to the whole group; the parent decides when this ends.
  if (!process.connected) end();
  const [, , dir, port, binding] = process.argv;
  new Worker(import.meta.filename, { workerData: { dir, port, binding }, stdout: false });
} else {
  const { dir, port, binding } = workerData as { dir: string; port: string; binding: string };
  const native = createRequire(import.meta.url)(binding) as Binding;
  native.cli(['chroma', 'run', '--path', dir, '--port', port, '--host', '127.0.0.1']);
  process.exit(1);
}
