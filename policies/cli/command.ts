import { resolve } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

export type PolicyCommand = {
  readonly summary: string;
  readonly usage: string;
  /** False when the answer is no. Throws `UsageError` or `CommandError` for what the person can put right. */
  run(args: readonly string[], write: (text: string) => void): Promise<boolean>;
};

/** Shown with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Shown as it is: the work could not be done, and the message says why. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Options take a value, flags do not. */
export function readArguments(
  args: readonly string[],
  names: { readonly options?: readonly string[]; readonly flags?: readonly string[] },
): {
  readonly places: readonly string[];
  option(name: string): string | undefined;
  required(name: string): string;
  flag(name: string): boolean;
} {
  const options: ParseArgsOptionsConfig = Object.fromEntries([
    ...(names.options ?? []).map((name) => [name, { type: 'string' }] as const),
    ...(names.flags ?? []).map((name) => [name, { type: 'boolean' }] as const),
  ]);
  const { values, positionals } = parse(args, options);
  const option = (name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    places: positionals,
    option,
    required: (name) => {
      const value = option(name);
      if (value === undefined) throw new UsageError(`--${name} is required`);
      return value;
    },
    flag: (name) => values[name] === true,
  };
}

function parse(args: readonly string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function onlyPlace(places: readonly string[], what: string): string {
  const [place] = places;
  if (place === undefined || places.length > 1) throw new UsageError(`give ${what}, and nothing else`);
  return toPath(place);
}

/** npm runs scripts in the project's directory; a path is meant from where the person stands. */
export function toPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

export function toWholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`--${name} is a whole number`);
  return value;
}
