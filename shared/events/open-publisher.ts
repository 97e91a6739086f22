import { createHttpPublisher } from './publisher.http.ts';
import { createKafkaPublisher, type KafkaPublisherOptions } from './publisher.kafka.ts';
import type { EventPublisher } from './publisher.ts';

/**
 * For composition roots: the publisher that a URL of the configuration names.
 * `kafka://host:port,host:port`, or `http(s)://...` of a router that takes events at `<url>/<topic>`.
 * Connects on the first publish. Throws when the URL is neither.
 */
export function openPublisher(url: string, deps: Omit<KafkaPublisherOptions, 'brokers'>): EventPublisher {
  if (/^https?:\/\//.test(url)) return createHttpPublisher({ baseUrl: url });
  // Not `new URL`: it refuses a list of hosts.
  const brokers = /^kafka:\/\/([^/?#@]+)\/?$/.exec(url)?.[1]?.split(',') ?? [];
  if (brokers.length === 0 || !brokers.every((broker) => /^[^\s:]+:\d{1,5}$/.test(broker))) {
    throw new Error(
      'An event publisher is named by "kafka://host:port[,host:port]" or "http(s)://host/path"',
    );
  }
  return createKafkaPublisher({ brokers, ...deps });
}
