import {
  type PolicyBundleFailure,
  type PolicyBundleFiles,
  policyBundleFileNames,
} from '../authorization/index.ts';
import type { Failure } from '../kernel/index.ts';

/** The files of a bundle as they arrived: nothing of them has been checked. */
export type PublishedBundleFiles = PolicyBundleFiles & { readonly signature?: Uint8Array };

/** Names of the files, in a directory and in an archive alike, and in the order an archive has them. */
export const publishedFileNames = { ...policyBundleFileNames, signature: 'signature.json' } as const;

export type PublishedFile = keyof typeof publishedFileNames;

/** An engine has 64 MiB, of which data takes about 14 times its length in JSON: no more than this could be served. */
export const bundleLimits = { archiveBytesMax: 4 * 2 ** 20, unpackedBytesMax: 8 * 2 ** 20 } as const;

/** Why a bundle is not served. `detail` is for operators: it names files, keys and versions, never a secret. */
export type PolicyBundleRefusal =
  | PolicyBundleFailure
  | (Failure & {
      readonly code:
        | 'policy_bundle.unreachable'
        | 'policy_bundle.not_started'
        | 'policy_bundle.too_large'
        | 'policy_bundle.unsigned'
        | 'policy_bundle.untrusted'
        | 'policy_bundle.signature_invalid'
        | 'policy_bundle.too_old'
        | 'policy_bundle.version_reused';
      readonly detail: string;
    });
