import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

const managed = `managed_by text not null check (managed_by in ('git', 'api'))`;

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // A person is known by the organizations that declare them; the account joins those by e-mail address.
    `create table membership (
       org_id text not null references organization (org_id),
       user_id text not null,
       name text not null,
       email text not null,
       display_name text not null,
       status text not null check (status in ('active', 'disabled')),
       ${managed},
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, user_id),
       unique (org_id, name)
     )`,
    'create index membership_email on membership (org_id, lower(email))',
    `create table team (
       org_id text not null references organization (org_id),
       team_id text not null,
       name text not null,
       display_name text not null,
       parent_team_id text,
       ${managed},
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, team_id),
       unique (org_id, name),
       foreign key (org_id, parent_team_id) references team (org_id, team_id)
     )`,
    `create table team_member (
       org_id text not null,
       team_id text not null,
       member_type text not null check (member_type in ('user', 'service_account')),
       member_id text not null,
       ${managed},
       created_at timestamptz not null,
       primary key (org_id, team_id, member_type, member_id),
       foreign key (org_id, team_id) references team (org_id, team_id)
     )`,
    'create index team_member_by_member on team_member (org_id, member_type, member_id)',
    `create table role (
       org_id text not null references organization (org_id),
       role_id text not null,
       name text not null,
       description text not null,
       permissions text[] not null,
       ${managed},
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, role_id),
       unique (org_id, name)
     )`,
    // role_name is a built-in role or the name of a row in role: built-in ones live in the policy bundle.
    `create table role_binding (
       org_id text not null references organization (org_id),
       binding_id text not null,
       name text not null,
       role_name text not null,
       subject_type text not null check (subject_type in ('user', 'team', 'service_account')),
       subject_id text not null,
       scope_type text not null check (scope_type in ('organization', 'team', 'resource')),
       scope_id text not null,
       effect text not null check (effect in ('allow', 'deny')),
       expires_at timestamptz,
       ${managed},
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, binding_id),
       unique (org_id, name)
     )`,
    'create index role_binding_by_subject on role_binding (org_id, subject_type, subject_id)',
    ...['membership', 'team', 'team_member', 'role', 'role_binding'].flatMap((table) =>
      isolateTenant(table, { uos_app: 'select, insert, update, delete' }),
    ),
  );
}
