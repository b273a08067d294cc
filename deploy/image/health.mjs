// The health check of the image: whether the process of this container answers, at PORT or at its default port.
const ports = process.env.PORT ? [process.env.PORT] : [5000, 6001, 6002, 6003, 6004, 6005];
const live = async (port) => {
  const { ok } = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(4000) });
  if (!ok) throw new Error(`port ${port}`);
};
Promise.any(ports.map(live)).catch(() => process.exit(1));
