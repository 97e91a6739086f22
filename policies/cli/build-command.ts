import { openBundle, requireBundle, writeBundleFiles } from './bundle-path.ts';
import { onlyPlace, type PolicyCommand, readArguments, toPath, toWholeNumber } from './command.ts';
import { compileBundle, findSources } from './compile-sources.ts';

export const buildCommand: PolicyCommand = {
  summary: 'compiles a folder of policies to a bundle',
  usage: `usage: npm run policy -- build <folder> --out <bundle.tar.gz | folder> [--version <n>] [--revision <name>]

  <folder>    policy/**.rego (tests beside, *_test.rego), data/ if any; the entrypoint is uos/authz/decision
  --version   a whole number that grows with each publication; a bundle to be signed needs one
  --revision  name of what is built; otherwise from the digest of the sources`,
  run: async (args, write) => {
    const { places, option, required } = readArguments(args, { options: ['out', 'version', 'revision'] });
    const directory = onlyPlace(places, 'the folder of the policies');
    const out = toPath(required('out'));
    const [version, revision] = [option('version'), option('revision')];
    const files = await compileBundle(await findSources(directory), {
      ...(version === undefined ? {} : { version: toWholeNumber(version, 'version') }),
      ...(revision === undefined ? {} : { revision }),
    });
    requireBundle(files, directory);
    await writeBundleFiles(out, files);
    const { manifest } = (await openBundle(out)).bundle;
    write(`built ${out}: revision ${manifest.revision}, version ${manifest.version ?? 'none'}\n`);
    return true;
  },
};
