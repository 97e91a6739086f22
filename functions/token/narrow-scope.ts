import { errors } from 'oidc-provider';
import { credentialScopeSchema, narrowScopes } from '../../shared/authorization/index.ts';

/** As long as a verifier takes; see shared/token. */
const scopeLengthMax = 4_096;

/**
 * The scopes of a token: those that are asked for, if every one of them is within what is held (RFC 6749 section 3.3),
 * else all that is held. Refuses, naming it, what is beyond: a client that asked for it would count on it.
 */
export function narrowScope(
  held: readonly string[] | undefined,
  requested: string | undefined,
): readonly string[] | undefined {
  const asked = requested?.split(' ').filter((scope) => scope !== '') ?? [];
  const scopes = asked.length === 0 ? held : [...new Set(asked)];
  for (const scope of asked) if (!isWithin(held, scope)) throw new errors.InvalidScope(beyond, scope);
  if (scopes?.length === 0) throw new errors.InvalidScope('the credential grants nothing', '');
  if ((scopes?.join(' ').length ?? 0) > scopeLengthMax)
    throw new errors.InvalidScope('the scopes are too many for a token; ask for fewer', '');
  return scopes;
}

const beyond = 'a scope is not <type>:<action>, or is beyond what the credential holds';

function isWithin(held: readonly string[] | undefined, scope: string): boolean {
  return credentialScopeSchema.safeParse(scope).success && narrowScopes(held, [scope]).includes(scope);
}
