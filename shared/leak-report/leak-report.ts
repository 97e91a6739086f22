/** Who says that a key has leaked: whoever has its text, or GitHub, which has found it in public. */
export type LeakSource = 'self-report' | 'github';

/**
 * Whether a text is, or ever was, a key's secret. Nothing else is told of it: not whose it is, nor whether it still
 * worked. The words are GitHub's.
 */
export type LeakLabel = 'true_positive' | 'false_positive';
