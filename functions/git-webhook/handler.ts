import { LRUCache } from 'lru-cache';
import { createApp, type FunctionOptions, toListener } from '../../shared/http/index.ts';
import { type ReceiveGithubDeliveryDeps, receiveGithubDelivery } from './receive-github-delivery.ts';

export type HandlerDeps = Omit<ReceiveGithubDeliveryDeps, 'signers'>;

/** Whoever is forgotten is counted with its address again. */
const signersMax = 10_000;

export function createHandler(deps: HandlerDeps): FunctionOptions['listener'] {
  const app = createApp(deps.logger);
  const signers = new LRUCache<string, true>({ max: signersMax });
  app.post('/webhooks/github/:sourceId', (c) => receiveGithubDelivery({ ...deps, signers }, c));
  return toListener(app);
}
