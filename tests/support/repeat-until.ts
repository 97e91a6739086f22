const roundsMax = 10;

/**
 * Runs a property of random inputs once, and again while it has not met what it must have met to prove anything: how
 * often a round meets it is chance.
 */
export async function repeatUntil(hasMetEnough: () => boolean, round: () => Promise<void>): Promise<void> {
  await round();
  for (let n = 1; n < roundsMax && !hasMetEnough(); n++) await round();
}
