import { createApp, type FunctionOptions, toListener } from '../../shared/http/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { type ReceiveGithubDeliveryDeps, receiveGithubDelivery } from './receive-github-delivery.ts';

export type HandlerDeps = ReceiveGithubDeliveryDeps & { readonly logger: Logger };

export function createHandler(deps: HandlerDeps): FunctionOptions['listener'] {
  const app = createApp(deps.logger);
  app.post('/webhooks/github/:sourceId', (c) => receiveGithubDelivery(deps, c));
  return toListener(app);
}
