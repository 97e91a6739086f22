import { fail, ok, type Result } from '../kernel/index.ts';
import {
  bundleLimits,
  type PolicyBundleRefusal,
  type PublishedBundleFiles,
  publishedFileNames,
} from './policy-bundle-files.ts';
import { readTarGz, writeTarGz } from './tar-archive.ts';

/** A bundle as one `.tar.gz` file; see `publishedFileNames`. Files of other names are passed over. */
export async function unpackPolicyBundle(
  archive: Uint8Array,
): Promise<Result<PublishedBundleFiles, PolicyBundleRefusal>> {
  const { archiveBytesMax, unpackedBytesMax } = bundleLimits;
  if (archive.byteLength > archiveBytesMax) {
    return fail({
      code: 'policy_bundle.too_large',
      detail: `the archive has more than ${archiveBytesMax} bytes`,
    });
  }
  const files = await readTarGz(archive, { unpackedBytesMax });
  if (!files.ok) return fail({ code: 'policy_bundle.malformed', detail: files.failure.detail });
  const find = (part: keyof typeof publishedFileNames) => files.value.get(publishedFileNames[part]);
  const [manifest, wasm, data, signature] = [find('manifest'), find('wasm'), find('data'), find('signature')];
  if (manifest === undefined || wasm === undefined || data === undefined) {
    const { manifest: m, wasm: w, data: d } = publishedFileNames;
    return fail({ code: 'policy_bundle.missing', detail: `the archive lacks one of ${m}, ${w}, ${d}` });
  }
  return ok({ manifest, wasm, data, ...(signature === undefined ? {} : { signature }) });
}

export function packPolicyBundle(files: PublishedBundleFiles): Promise<Buffer> {
  const parts = ['manifest', 'signature', 'wasm', 'data'] as const;
  return writeTarGz(
    parts.flatMap((part) => {
      const bytes = files[part];
      return bytes === undefined ? [] : [[publishedFileNames[part], bytes] as const];
    }),
  );
}
