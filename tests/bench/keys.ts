import { benchParts } from './bench-parts.ts';
import { measureKeyChanges } from './measure-key-changes.ts';
import { measureKeyRevocation } from './measure-key-revocation.ts';
import { measureRepeppering } from './measure-repeppering.ts';
import { measureVerification } from './measure-verification.ts';

/** The life of API keys: issued, proven, revoked, and sealed anew by the hundred thousand while questions are answered. */
export const benchKeys = benchParts({
  verification: measureVerification,
  changes: measureKeyChanges,
  revocation: measureKeyRevocation,
  repeppering: measureRepeppering,
});
