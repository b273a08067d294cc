const channel = new BroadcastChannel('caudex:turns');

/** Tells the other tabs of this browser that a conversation has a new turn, or a finished one. */
export function announceTurn(conversation: string): void {
  channel.postMessage(conversation);
}

/** @returns a function that ends it */
export function onTurnElsewhere(listener: (conversation: string) => void): () => void {
  const onMessage = ({ data }: MessageEvent<string>) => listener(data);
  channel.addEventListener('message', onMessage);
  return () => channel.removeEventListener('message', onMessage);
}
