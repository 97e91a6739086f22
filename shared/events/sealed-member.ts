import { z } from 'zod';

/**
 * A text about a person as it stands in an event: `{"sealed":"v1.<base64url>","subject":"usr_..."}`. The leaf's bytes
 * stay provable for ever, and the text ends with the subject's key; see shared/personal-data. What is bound to it, as
 * additional data of AES-256-GCM, is the event's id and type, the subject and the member's path inside `data`.
 */
export const sealedMemberSchema = z.strictObject({
  sealed: z.string().regex(/^v1\.[A-Za-z0-9_-]{44,4096}$/),
  subject: z.string().min(1).max(256),
});
export type SealedMember = z.infer<typeof sealedMemberSchema>;

/** What an attribute was and is. A side that is absent held nothing, or did not change. */
const sealedChange = z.strictObject({
  before: sealedMemberSchema.optional(),
  after: sealedMemberSchema.optional(),
});

/** `data.personal` of an event about a person. */
export const personalMembersSchema = z.strictObject({
  email: sealedChange.optional(),
  displayName: sealedChange.optional(),
});
export type PersonalMembers = z.infer<typeof personalMembersSchema>;

/** The event that a sealed member is made for and opens in. */
export type SealedIn = { readonly id: string; readonly type: string };
