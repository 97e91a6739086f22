/**
 * When API keys were last used, from the event stream. Whoever proves keys notes each use in memory and publishes
 * once a minute; a consumer moves `api_key.last_used_at` forward.
 *
 * Invariants: a request pays for a memory write and nothing else; the last use never goes back; it may be missing up
 * to a minute of a process that was killed, so "unused" is to be read with that in mind.
 *
 * @example
 * const uses = openApiKeyUseRecorder(url, { open, clock, random, source: 'uos/authorize', logger });
 * uses.note(key.organizationId, key.id);
 */
export { type ApiKeyUse, apiKeyUsedType, parseApiKeyUses } from './api-key-use.ts';
export {
  type ApiKeyUseRecorder,
  type ApiKeyUseRecorderDeps,
  createApiKeyUseRecorder,
  openApiKeyUseRecorder,
} from './api-key-use-recorder.ts';
export type { ApiKeyUseStore } from './api-key-use-store.ts';
