import { type MigrationDatabase, run } from './sql.ts';

/**
 * What an answer's facts are read by: a member's teams, the teams above one and those below it. Without columns to
 * answer from, the planner, for which an organization has one team, reads all of an organization's instead.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    'drop index team_member_by_member',
    'create index team_member_by_member on team_member (org_id, member_type, member_id, team_id)',
    'create index team_upwards on team (org_id, team_id) include (parent_team_id)',
    'create index team_downwards on team (org_id, parent_team_id, team_id)',
  );
}
