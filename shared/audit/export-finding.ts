/** Something in an export that is not as it was made. */
export type ExportFinding = {
  readonly path: string;
  readonly problem: string;
  /** The damaged entry, where one can be named. */
  readonly entry?: { readonly day: string; readonly index: number; readonly eventId?: string };
};
