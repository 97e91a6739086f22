import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

export type TopicRouter = {
  readonly url: string;
  /** From now on events of the topic go there. */
  subscribe(topic: string, url: string): void;
  close(): Promise<void>;
};

/** The least that can stand for Kafka: it accepts an event when the topic's subscriber has; 503 asks to be sent again. */
export async function startTopicRouter(): Promise<TopicRouter> {
  const subscribers = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const topic = decodeURIComponent(request.url?.slice(1) ?? '');
    const body = (await buffer(request)).toString();
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const status = await fetch(subscribers.get(topic) ?? '', { method: 'POST', headers, body }).then(
      (answer) => answer.status,
      () => 503,
    );
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    subscribe: (topic, url) => void subscribers.set(topic, url),
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
