/** Who says that a key has leaked: whoever has its text, or GitHub, which has found it in public. */
export type LeakSource = 'self-report' | 'github';

/**
 * Whether a text is a key's secret, or is known to have been: of a secret that was given an overlap that is so until the
 * next rotation, and of any before it nothing is kept. Nothing else is told of it: not whose it is, nor whether it still
 * worked. The words are GitHub's.
 */
export type LeakLabel = 'true_positive' | 'false_positive';
