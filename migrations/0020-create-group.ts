import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

const managed = `managed_by text not null check (managed_by in ('git', 'api'))`;

/**
 * A flat, named set of people and service accounts (RFC 7643 section 4.2). It lies in no tree and owns nothing, which
 * is what teams are for; it may hold role bindings. `group` itself is a word of SQL.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `create table user_group (
       org_id text not null references organization (org_id),
       group_id text not null,
       name text not null,
       display_name text not null,
       ${managed},
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, group_id),
       unique (org_id, name)
     )`,
    `create table group_member (
       org_id text not null,
       group_id text not null,
       member_type text not null check (member_type in ('user', 'service_account')),
       member_id text not null,
       ${managed},
       created_at timestamptz not null,
       primary key (org_id, group_id, member_type, member_id),
       foreign key (org_id, group_id) references user_group (org_id, group_id)
     )`,
    // The facts of every subject ask for its groups: of one that has none, this index alone is touched.
    'create index group_member_by_member on group_member (org_id, member_type, member_id, group_id)',
    `alter table role_binding
       drop constraint role_binding_subject_type_check,
       add constraint role_binding_subject_type_check
         check (subject_type in ('user', 'team', 'group', 'service_account'))`,
    ...['user_group', 'group_member'].flatMap((table) => [
      ...isolateTenant(table, { uos_app: 'select, insert, update, delete' }),
      `create trigger ${table}_notify after insert or update or delete on ${table}
         for each row execute function notify_authorization_changed()`,
      `create constraint trigger ${table}_revise after insert or update or delete on ${table}
         deferrable initially deferred for each row execute function revise_authorization('subjects')`,
    ]),
  );
}
