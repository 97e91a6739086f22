/** What a person's texts are sealed with, in one organization. A subject has at most one that is not destroyed. */
export type SubjectKey = {
  readonly subject: string;
  /** Counts from 1. A key made after an erasure has the next number, which every text sealed with it states. */
  readonly generation: number;
  /** Sealed by the key ring; undefined once destroyed. */
  readonly sealed: Uint8Array | undefined;
  readonly createdAt: Date;
  readonly destroyedAt: Date | undefined;
};

export type LiveSubjectKey = SubjectKey & { readonly sealed: Uint8Array };

export function isLive(key: SubjectKey): key is LiveSubjectKey {
  return key.sealed !== undefined;
}

/** What a sealed key is bound to: moved to another row, it does not open. */
export function toKeyContext(
  organizationId: string,
  key: Pick<SubjectKey, 'subject' | 'generation'>,
): string {
  return `${organizationId}:${key.subject}:${key.generation}`;
}
