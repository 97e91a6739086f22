/** Reading the environment: one schema a function, all faults at once. */
export {
  commonConfig,
  databaseUrl,
  eventPublisherUrl,
  issuerList,
  publicUrl,
  secondsFrom,
} from './common.ts';
export { hasKeyWrapper, keyWrapperConfig } from './key-wrapper.ts';
export {
  hasWholeCredentials,
  objectStoreConfig,
  objectStoreCredentialConfig,
  toObjectStoreCredentials,
  toObjectStoreLocation,
} from './object-store.ts';
export { readConfig } from './read-config.ts';
export {
  addressLimitConfig,
  callerLimitConfig,
  hasWholeRedis,
  redisConfig,
  toCallerLimits,
  toFailureLimit,
} from './redis.ts';
