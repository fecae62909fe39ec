import { join } from 'node:path';

export type HomePaths = ReturnType<typeof toHomePaths>;

/** Returns the paths of one home. `home` is the real path, because two spellings of a home share one server. */
export function toHomePaths(home: string) {
  const postgres = join(home, 'postgres');
  return {
    home,
    postgres,
    holders: join(postgres, 'holders'),
    lock: join(postgres, 'lock'),
    password: join(postgres, 'password'),
    location: join(postgres, 'location.json'),
    server: join(postgres, 'server.json'),
    log: join(home, 'logs', 'postgres.log'),
  };
}
