import type { OrgTransaction } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { KeyRing } from '../secret/index.ts';
import { createSigningKeyPair } from './create-signing-key.ts';
import type { SigningAlgorithm } from './jwk.ts';
import type { SigningKey } from './signing-key.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

export type PublishSigningKeyDeps = {
  readonly store: SigningKeyStore;
  readonly events: EventRecorder;
  /** Of purpose `signing-key`. */
  readonly ring: KeyRing;
};

/** Makes a key and shows it: its row, sealed, and the event, in the caller's transaction. */
export async function publishSigningKey(
  deps: PublishSigningKeyDeps,
  tx: OrgTransaction,
  input: { algorithm: SigningAlgorithm; now: Date; activeFrom: Date; actor: Actor },
): Promise<SigningKey> {
  const { algorithm, now: publishedAt, activeFrom, actor } = input;
  const { keyId, publicJwk, privateJwk } = createSigningKeyPair(algorithm);
  const key: SigningKey = { keyId, algorithm, publicJwk, publishedAt, activeFrom, verifyUntil: undefined };
  await deps.store.add(tx, key, await deps.ring.seal(JSON.stringify(privateJwk), keyId));
  await deps.events.record(tx, platformOrganizationId, {
    type: 'uos.signing-key.published.v1',
    subject: keyId,
    actor,
    data: { algorithm, activeFrom: activeFrom.toISOString() },
  });
  return key;
}
