import { setFlagsFromString } from 'node:v8';

/**
 * Nothing of a question outlives its answer, but V8 may come to believe otherwise: when many wait at once, as while the
 * caches fill, it sees that they survive, and from then on makes what such code allocates old from the start, for as
 * long as the process runs. Each of these keeps what it points to, so that whole questions are left to the collector of
 * old objects, which takes both cores for 0.2 s. Off, a question costs 5% less at the peak too.
 */
export function allocateYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
