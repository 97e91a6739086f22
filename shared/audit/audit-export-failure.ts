export type AuditExportFailure =
  /** It ends before it begins, or lies in the future. */
  | { readonly code: 'audit_export.window_empty' }
  | { readonly code: 'audit_export.window_too_long'; readonly daysMax: number }
  /** There is none of this id, or it is another organization's. */
  | { readonly code: 'audit_export.not_found' };

export type RunExportFailure =
  | { readonly code: 'audit_export.not_found' }
  /** Events of the window are still on their way into the log: try again. */
  | { readonly code: 'audit_export.trail_pending'; readonly missing: number };

/** Ends an export for good; kept with it, for whoever asked. */
export type FinalExportFailure = {
  readonly code:
    | 'audit_export.trail_incomplete'
    /** Entries no longer give the root that was signed. */
    | 'audit_export.log_damaged'
    | 'audit_export.too_large';
};
