import { type ListenerOptions, listen } from '../db/index.ts';
import type { Clock } from '../kernel/index.ts';
import { createEpochs } from './epochs.ts';

/**
 * What the database tells every warm instance about changes of whatever a decision rests on. Sent in the changing
 * transaction (migrations/0008), so it cannot be forgotten and arrives after the commit, in commit order.
 */
export type AuthorizationFeed = {
  /** Of an organization's facts or of one API key, by its id. To be asked before what is read. */
  epochOf(scope: string): number;
  /**
   * Whether every change older than the lease has arrived. When not, nothing cached may be believed: a feed that
   * fell silent looks like one without news.
   */
  isLive(): boolean;
};

/** For functions that ask too seldom to hold a connection for news: nothing is ever believed without a read. */
export const silentFeed: AuthorizationFeed = { epochOf: () => 0, isLive: () => false };

export type OpenAuthorizationFeed = AuthorizationFeed & { close(): Promise<void> };

export type AuthorizationFeedOptions = Pick<
  ListenerOptions,
  'url' | 'applicationName' | 'clock' | 'onError'
> & {
  /** How long the feed may be silent before it is not believed. Below the second within which a revocation holds. */
  readonly leaseMs?: number;
  /** Also called when news of it may have been missed. */
  readonly onSigningKeysChanged?: () => void;
};

const factsChannel = 'authorization_changed';
const signingKeysChannel = 'signing_key_changed';

export function openAuthorizationFeed(options: AuthorizationFeedOptions): OpenAuthorizationFeed {
  const epochs = createEpochs();
  const listener = listen({
    ...options,
    channels: [factsChannel, signingKeysChannel],
    onNotification: (channel, payload) => {
      if (channel === factsChannel) epochs.advance(scopeOf(payload));
      else options.onSigningKeysChanged?.();
    },
    onConnected: () => {
      epochs.advanceAll();
      options.onSigningKeysChanged?.();
    },
  });
  return {
    epochOf: (scope) => epochs.of(scope),
    isLive: () => isRecent(listener.freshAsOf(), options.clock, options.leaseMs ?? 800),
    close: () => listener.close(),
  };
}

/** Payload: `<org_id>` for an organization's facts, `<org_id> <key_id>` for one of its API keys. */
function scopeOf(payload: string): string {
  return payload.slice(payload.indexOf(' ') + 1);
}

/** An instant in the future is a clock that was set back: then nobody knows how old it is. */
function isRecent(freshAsOf: Date | undefined, clock: Clock, leaseMs: number): boolean {
  if (freshAsOf === undefined) return false;
  const age = clock.now().getTime() - freshAsOf.getTime();
  return age >= 0 && age <= leaseMs;
}
