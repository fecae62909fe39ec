import type { People } from '../../accounts/api-keys.js';
import { peopleRoutes } from '../../contract/people.js';
import type { Http } from '../http/routes.js';

export function peopleRoutesOn(http: Http, people: People): void {
  http.guarded(peopleRoutes.list, async () => ({ users: await people.list() }));
  http.guarded(peopleRoutes.create, ({ body }, { caller }) => people.create(body.email, body.role, caller.userId));
  http.guarded(peopleRoutes.revoke, async ({ body }, { caller }) => {
    await people.revoke(body.email, caller.userId);
    return { email: body.email, message: 'Every key of this account has stopped' };
  });
  http.open(peopleRoutes.claim, ({ params }, { response }) => {
    response.setHeader('Cache-Control', 'no-store');
    return people.claim(params.token);
  });
}
