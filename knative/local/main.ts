import { join } from 'node:path';
import { CommandError, readArguments, toPath, UsageError } from './command-line.ts';
import { createConsoleLines } from './console-lines.ts';
import { type Platform, startPlatform } from './platform.ts';
import { choosePolicies } from './policy-choice.ts';
import { clearState } from './state.ts';
import { runTour } from './tour/tour.ts';

const usage = `Starts the User & Organization Service on this machine.

  npm start                     start and stay up; data is kept in .uos/local
  npm start -- --tour           start afresh in .uos/tour, perform the main job, print each step, stop
  npm start -- --tour --real    the same with a real Kafka, S3 server and Redis
  npm start -- --state DIR      keep the data in DIR
  npm start -- --quiet          print warnings and errors of the functions only
  npm start -- --policy BUNDLE  decide by a policy of your own: a file, a folder or an https: URL
               --shadow BUNDLE  try one beside it; /policy/status of authorize counts where they disagree
               --policy-keys FILE  the public keys, of which one must have signed both; required for a URL

How such a bundle is built: policies/examples/README.md`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(usage);
  process.exit(0);
}

const flags = await readFlags().catch(refuse);

const root = join(import.meta.dirname, '..', '..');
const stateDirectory =
  flags.state === undefined
    ? join(root, '.uos', flags.tour ? (flags.real ? 'tour-real' : 'tour') : 'local')
    : toPath(flags.state);
const lines = createConsoleLines({
  write: (text) => process.stdout.write(text),
  isColoured: process.stdout.isTTY === true,
  showInfo: !flags.tour && !flags.quiet,
});

const interrupted = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.resolve());

lines.line(`\nUser & Organization Service\n`);
const started = performance.now();
const platform = await start().catch((error: unknown) => {
  lines.line(`\nThe platform did not start: ${tell(error)}`);
  process.exit(1);
});
lines.line(`\nReady after ${((performance.now() - started) / 1000).toFixed(1)} s.\n`);

let exitCode = 0;
if (flags.tour) {
  const tour = runTour(platform, lines);
  const ended = await Promise.race([tour, interrupted.promise]);
  exitCode = ended?.tour === 'ok' ? 0 : 1;
  await platform.stop();
  lines.line(JSON.stringify(ended ?? { tour: 'interrupted', steps: [] }));
} else {
  greet(platform);
  await interrupted.promise;
  lines.line('\nStopping ...');
  await platform.stop();
  lines.line(`Stopped. The data is kept in ${stateDirectory}`);
}
process.exit(exitCode);

async function readFlags() {
  const { places, option, flag } = readArguments(process.argv.slice(2), {
    options: ['state', 'policy', 'shadow', 'policy-keys'],
    flags: ['tour', 'real', 'quiet'],
  });
  if (places.length > 0) throw new UsageError(`"${places[0]}" is too much`);
  if (flag('tour') && option('policy') !== undefined)
    throw new UsageError('--tour asks what the built-in policy answers: not with --policy');
  return {
    tour: flag('tour'),
    real: flag('real'),
    quiet: flag('quiet'),
    state: option('state'),
    settings: await choosePolicies({
      policy: option('policy'),
      shadow: option('shadow'),
      keys: option('policy-keys'),
    }),
  };
}

function refuse(error: unknown): never {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${usage}`);
  else if (error instanceof CommandError) console.error(error.message);
  else throw error;
  process.exit(2);
}

async function start(): Promise<Platform> {
  // Only what this command made itself is removed: a directory that somebody named is theirs.
  if (flags.tour && flags.state === undefined) await clearState(stateDirectory);
  const { real: isReal, tour, settings } = flags;
  return startPlatform({ stateDirectory, isReal, keepsPorts: !tour, settings, console: lines });
}

/** What the person can put right needs no trace. */
function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof CommandError ? error.message : (error.stack ?? error.message);
}

function greet({ urlOf, state }: Platform): void {
  lines.line(`  admin API      ${urlOf('admin')}/v1  (description: ${urlOf('admin')}/v1/openapi.json)
  token issuer   ${urlOf('token')}/.well-known/openid-configuration
  decisions      ${urlOf('authorize')}/access/v1/evaluation  (policy: ${urlOf('authorize')}/policy/status)
  git webhooks   ${urlOf('git-webhook')}/webhooks/github/<source id>

Try it:

  curl -H "Authorization: Bearer $(cat ${state.operatorKeyFile})" ${urlOf('admin')}/v1/organizations

Ctrl-C stops everything; the data is kept in ${state.directory}
`);
}
