import { Client, escapeLiteral } from 'pg';

/**
 * The login roles of one machine. In a cluster the operator makes them; migrations make only the group roles,
 * which hold the grants.
 */
export async function createRoles(input: {
  superuserUrl: string;
  password: string;
  databaseName: string;
}): Promise<void> {
  const secret = escapeLiteral(input.password);
  await withClient(input.superuserUrl, async (client) => {
    const names = async (table: string, column: string) =>
      new Set((await client.query(`select ${column} as name from ${table}`)).rows.map((row) => row.name));
    const roles = await names('pg_roles', 'rolname');
    for (const role of ['app', 'relay', 'log']) {
      if (!roles.has(`uos_${role}`)) await client.query(`create role uos_${role} nologin noinherit`);
      if (roles.has(`${role}_login`)) continue;
      await client.query(`create role ${role}_login login password ${secret} in role uos_${role}`);
    }
    if (!roles.has('owner_login')) {
      await client.query(`create role owner_login login createrole createdb password ${secret}`);
    }
    const databases = await names('pg_database', 'datname');
    if (!databases.has(input.databaseName)) {
      await client.query(`create database ${input.databaseName} owner owner_login`);
    }
  });
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
