import { createPrivateKey, type KeyObject } from 'node:crypto';
import { keyIdOf, signManifest } from '../../shared/policy-bundle/index.ts';
import { readSecretFile } from '../../shared/secret/index.ts';
import { readBundleFiles, requireBundle, writeBundleFiles } from './bundle-path.ts';
import { CommandError, onlyPlace, type PolicyCommand, readArguments, toPath } from './command.ts';

export const signCommand: PolicyCommand = {
  summary: 'signs a bundle in place',
  usage: `usage: npm run policy -- sign <bundle.tar.gz | folder> --key <file>

  --key   an Ed25519 private key in PEM, mode 600, as keygen makes it. Signatures of other keys stay: a bundle signed
          by the old key and the new one is served by those who trust either.`,
  run: async (args, write) => {
    const { places, required } = readArguments(args, { options: ['key'] });
    const path = onlyPlace(places, 'the bundle');
    const key = await readKey(toPath(required('key')));
    const files = await readBundleFiles(path);
    const { manifest } = requireBundle(files, path);
    if (manifest.version === undefined) {
      throw new CommandError(
        'the bundle has no version: build it with --version, or an old one could return',
      );
    }
    await writeBundleFiles(path, { ...files, signature: signManifest(files.manifest, key, files.signature) });
    write(
      `signed ${path}: revision ${manifest.revision}, version ${manifest.version}, key ${keyIdOf(key)}\n`,
    );
    return true;
  },
};

async function readKey(path: string): Promise<KeyObject> {
  const text = await readSecretFile(path).catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  });
  const key = parseKey(text);
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new CommandError(`${path} holds no Ed25519 private key in PEM`);
  return key;
}

function parseKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    // The cause could quote the key.
    return undefined;
  }
}
