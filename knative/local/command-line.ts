import { resolve } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/*
 * What the programs of the command line have in common. A mistake of the person is told with the usage and ends with 2,
 * never with a trace; `--help` does nothing else; a path is meant from where the person stands.
 */

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

/**
 * Runs a program and sets the exit code: 0 yes, 1 no, 2 for what the person can put right. What else is thrown is a
 * bug, and shown with its trace.
 */
export async function runProgram(
  usage: string,
  run: (args: readonly string[]) => Promise<boolean>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage.trimEnd()}\n`);
    return;
  }
  try {
    process.exitCode = (await run(args)) ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage.trimEnd()}\n`);
    else if (error instanceof CommandError) process.stderr.write(`${error.message}\n`);
    else throw error;
    process.exitCode = 2;
  }
}
