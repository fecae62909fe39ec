import { join } from 'node:path';

/** Paths of one home. `home` is the real path, because two spellings of a home share one server. */
export interface HomePaths {
  home: string;
  postgres: string;
  holders: string;
  lock: string;
  password: string;
  location: string;
  server: string;
  log: string;
}

export function toHomePaths(home: string): HomePaths {
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
