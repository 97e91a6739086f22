/** An automation that acts for an organization. It owns API keys and is an OAuth client; it is never a person. */
export { type ServiceAccountId, serviceAccountId } from './service-account-id.ts';
