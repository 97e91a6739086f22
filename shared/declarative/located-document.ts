import type { DeclaredDocument } from './document-schema.ts';
import type { Position } from './fault.ts';

/** A document that fits its schema, with the way back to its text. */
export type LocatedDocument = {
  readonly document: DeclaredDocument;
  positionOf(path: readonly PropertyKey[]): Position;
};
