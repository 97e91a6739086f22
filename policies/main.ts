import { buildCommand } from './cli/build-command.ts';
import { CommandError, type PolicyCommand, UsageError } from './cli/command.ts';
import { keygenCommand } from './cli/keygen-command.ts';
import { replayCommand } from './cli/replay-command.ts';
import { signCommand } from './cli/sign-command.ts';
import { testCommand } from './cli/test-command.ts';

const commands: Readonly<Record<string, PolicyCommand>> = {
  build: buildCommand,
  test: testCommand,
  keygen: keygenCommand,
  sign: signCommand,
  replay: replayCommand,
};

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  return [
    'usage: npm run policy -- <command> [...]',
    '',
    ...lines,
    '',
    '`<command> --help` tells more. Exit code: 0 yes, 1 no (refused, failed, would flip), 2 could not be told.',
    '',
  ].join('\n');
}

/** Answers the exit code. */
export async function runPolicyCommand(
  args: readonly string[],
  out: { write(text: string): unknown; complain(text: string): unknown },
): Promise<0 | 1 | 2> {
  const [name = '--help', ...rest] = args;
  if (name === '--help' || name === 'help') {
    out.write(usage());
    return args.length === 0 ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    out.complain(`there is no command "${name}"\n\n${usage()}`);
    return 2;
  }
  if (rest.includes('--help')) {
    out.write(`${command.usage}\n`);
    return 0;
  }
  try {
    return (await command.run(rest, (text) => out.write(text))) ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) out.complain(`${name}: ${error.message}\n\n${command.usage}\n`);
    else if (error instanceof CommandError) out.complain(`${name}: ${error.message}\n`);
    else throw error;
    return 2;
  }
}

if (import.meta.main) {
  process.exitCode = await runPolicyCommand(process.argv.slice(2), {
    write: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
  });
}
