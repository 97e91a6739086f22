import { suggest } from './suggest.ts';

/** One thing wrong with a declaration, where an editor can jump to. Lines and columns count from 1. */
export type Fault = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What was probably meant, when something close enough exists. */
  readonly didYouMean?: string;
};

export type Position = Pick<Fault, 'file' | 'line' | 'column'>;

export function startOf(file: string): Position {
  return { file, line: 1, column: 1 };
}

export function toFault(
  position: Position,
  message: string,
  guess?: { written: string; known: Iterable<string> },
): Fault {
  const didYouMean = guess && suggest(guess.written, guess.known);
  const { line, column } = position;
  // Threat: Git allows line breaks in file names, which would forge lines of a log or a comment.
  const file = position.file.replace(/\p{Cc}/gu, '\uFFFD');
  return { file, line, column, message, ...(didYouMean === undefined ? {} : { didYouMean }) };
}

/** `organizations/acme/teams.yaml:4:3: unknown key "membrs", did you mean "members"?` */
export function toFaultText(fault: Fault): string {
  const hint = fault.didYouMean === undefined ? '' : `, did you mean "${fault.didYouMean}"?`;
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.message}${hint}`;
}

/** Text from a document, made fit for a message: one line, bounded, quoted. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short.toWellFormed());
}

const fieldName = /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/;
const noName = 'that does not look like one, and is not shown';

/**
 * The name of a field, quoted where it looks like one. Threat: faults go into events that are never changed. What
 * stands in the place of a name by mistake may be about a person; where it stands is told, and says enough.
 */
export function quoteName(written: string, looksRight = fieldName): string {
  return looksRight.test(written) ? quote(written) : noName;
}

/** A path inside a document: `spec.members.0`. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part !== 'string' || fieldName.test(part) ? String(part) : '…'))
    .join('.');
}
