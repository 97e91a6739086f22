import { z } from 'zod';

/** Where objects are: `file:///...` or `s3://bucket?endpoint=https://host`, the latter with both credentials. */
export const objectStoreConfig = {
  OBJECT_STORE_URL: z.url({ protocol: /^(file|s3)$/, error: 'must be a file: or s3: URL' }),
  OBJECT_STORE_ACCESS_KEY_ID: z.string().optional(),
  OBJECT_STORE_SECRET_ACCESS_KEY: z.string().optional(),
};

type ObjectStoreConfig = z.infer<z.ZodObject<typeof objectStoreConfig>>;

/** As `openObjectStore` takes it: both halves of the credentials, or none. */
export function toObjectStoreLocation(config: ObjectStoreConfig) {
  const {
    OBJECT_STORE_URL: url,
    OBJECT_STORE_ACCESS_KEY_ID: accessKeyId,
    OBJECT_STORE_SECRET_ACCESS_KEY: secretAccessKey,
  } = config;
  return accessKeyId === undefined || secretAccessKey === undefined
    ? { url }
    : { url, credentials: { accessKeyId, secretAccessKey } };
}
