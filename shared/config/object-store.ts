import { z } from 'zod';

/** For `s3:` addresses. */
export const objectStoreCredentialConfig = {
  OBJECT_STORE_ACCESS_KEY_ID: z.string().optional(),
  OBJECT_STORE_SECRET_ACCESS_KEY: z.string().optional(),
};

/** Where objects are: `file:///...` or `s3://bucket?endpoint=https://host`, the latter with both credentials. */
export const objectStoreConfig = {
  OBJECT_STORE_URL: z.url({ protocol: /^(file|s3)$/, error: 'must be a file: or s3: URL' }),
  ...objectStoreCredentialConfig,
};

type Credentials = z.infer<z.ZodObject<typeof objectStoreCredentialConfig>>;

/** For the schema's `refine`. Half of them would silently be none, until the first object is asked for. */
export const hasWholeCredentials = [
  (config: { OBJECT_STORE_ACCESS_KEY_ID?: unknown; OBJECT_STORE_SECRET_ACCESS_KEY?: unknown }): boolean =>
    (config.OBJECT_STORE_ACCESS_KEY_ID === undefined) ===
    (config.OBJECT_STORE_SECRET_ACCESS_KEY === undefined),
  {
    path: ['OBJECT_STORE_SECRET_ACCESS_KEY'],
    message: 'comes with OBJECT_STORE_ACCESS_KEY_ID, or not at all',
    when: () => true,
  },
] satisfies [unknown, unknown];

/** As `openObjectStore` takes them beside a URL. */
export function toObjectStoreCredentials(config: Credentials) {
  const { OBJECT_STORE_ACCESS_KEY_ID: accessKeyId, OBJECT_STORE_SECRET_ACCESS_KEY: secretAccessKey } = config;
  return accessKeyId === undefined || secretAccessKey === undefined
    ? {}
    : { credentials: { accessKeyId, secretAccessKey } };
}

/** As `openObjectStore` takes it. */
export function toObjectStoreLocation(config: Credentials & { readonly OBJECT_STORE_URL: string }) {
  return { url: config.OBJECT_STORE_URL, ...toObjectStoreCredentials(config) };
}
