/** What rows of several tables have in common. */
export type Stamped = { created_at: Date; updated_at: Date };
export type ManagedBy = 'git' | 'api';
