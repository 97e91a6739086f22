/** Writes one file of the export, its path relative to the export. */
export type WriteFile = (path: string, bytes: Uint8Array, contentType: string) => Promise<void>;
