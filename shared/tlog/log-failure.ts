/** Why a log does not hold. Paths are relative to the log's prefix. */
export type LogFailure =
  | { readonly code: 'log.file_missing'; readonly path: string }
  | { readonly code: 'log.malformed'; readonly path: string; readonly reason: string }
  /** No signature by the given key, or one that does not hold. */
  | { readonly code: 'log.checkpoint_signature_invalid' }
  /** The checkpoint is genuine but belongs to another log. */
  | { readonly code: 'log.origin_mismatch'; readonly origin: string }
  | { readonly code: 'log.too_large'; readonly size: number; readonly entriesMax: number }
  /** The bytes of this entry are not what was signed. `path` is the bundle that holds it. */
  | { readonly code: 'log.entry_damaged'; readonly index: number; readonly path: string }
  /** A hash in this tile is not what its entries give: those from `from` up to, not including, `to`. */
  | { readonly code: 'log.tile_damaged'; readonly path: string; readonly from: number; readonly to: number }
  /** Entries and tiles agree with each other and not with the signed root. */
  | { readonly code: 'log.root_mismatch'; readonly size: number };
