const prefix = 'keys_unavailable:';
const inside: readonly string[] = ['unresolved', 'address_refused'].map((reason) => `${prefix}${reason}`);

/** Whether a request failed because its issuer's keys could not be had, for whatever reason. */
export function isKeysUnavailable(reason: string | undefined): boolean {
  return reason?.startsWith(prefix) === true;
}

/**
 * A refusal as the organization's own trail has it; the log has it in full. Threat: whoever writes rules reads the
 * trail, and could learn name by name which of them exist inside.
 */
export function toTrailReason(reason: string): string {
  return inside.includes(reason) ? `${prefix}no_public_address` : reason;
}
