import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { keyIdOf } from '../../shared/policy-bundle/index.ts';
import { CommandError, type PolicyCommand, readArguments, toPath, UsageError } from './command.ts';

export const keygenCommand: PolicyCommand = {
  summary: 'makes a key pair to sign bundles with',
  usage: `usage: npm run policy -- keygen --out <name>

  Writes <name>.key, the Ed25519 private key (mode 600, PKCS#8 PEM), and <name>.pub. The contents of <name>.pub go
  into the file that POLICY_BUNDLE_TRUSTED_KEYS_FILE names; it may hold several, so that a key can be replaced.`,
  run: async (args, write) => {
    const { places, required } = readArguments(args, { options: ['out'] });
    if (places.length > 0) throw new UsageError(`"${places[0]}" is too much`);
    const out = toPath(required('out'));
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    await create(`${out}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    await create(`${out}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
    write(`made ${out}.key and ${out}.pub: key ${keyIdOf(publicKey)}\n`);
    return true;
  },
};

/** Never over an existing file: it could be the only copy of a key. */
async function create(path: string, pem: string | Buffer, mode: number): Promise<void> {
  await writeFile(path, pem, { flag: 'wx', mode }).catch((error: unknown) => {
    if (error instanceof Error) throw new CommandError(error.message);
    throw error;
  });
}
