// The one script that runs on whatever Node the machine has: it installs what the lockfile names when that is not
// yet installed, then runs the given script (or a package's bin) on the Node that the `node` package brought.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const stamp = join(root, 'node_modules', '.uos-installed');

function installWhenLockfileChanged() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('Installing packages (npm ci) ...\n');
  const started = Date.now();
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const done = spawnSync('npm', ['ci', ...quiet], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    process.stderr.write('npm ci failed; nothing was started. Its message is above.\n');
    process.exit(done.status ?? 1);
  }
  writeFileSync(stamp, wanted);
  process.stderr.write(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
}

function command(args) {
  if (args[0] !== '--bin') return args;
  const manifest = JSON.parse(
    readFileSync(join(root, 'node_modules', ...packageOf(args[1]).split('/'), 'package.json'), 'utf8'),
  );
  const bin = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[args[1]];
  return [join(root, 'node_modules', ...packageOf(args[1]).split('/'), bin), ...args.slice(2)];
}

function packageOf(bin) {
  return { biome: '@biomejs/biome', tsc: 'typescript' }[bin] ?? bin;
}

installWhenLockfileChanged();
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
// kafkajs sets timers in the past (tulios/kafkajs issue 1751), which Node reports on each start.
const child = spawn(node, ['--disable-warning=TimeoutNegativeWarning', ...command(process.argv.slice(2))], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to the whole group; a supervisor signals only us. Either way the child decides when it is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
