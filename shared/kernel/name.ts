/**
 * What organizations, accounts and rules are called: a DNS label (RFC 1123). It fits a URL, a folder and a host name,
 * and never looks like an id, which has an underscore.
 */
export const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
