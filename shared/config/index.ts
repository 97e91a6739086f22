/** Reading the environment: one schema a function, all faults at once. */
export { commonConfig, databaseUrl, publicUrl, secondsFrom } from './common.ts';
export { ConfigError, readConfig } from './read-config.ts';
