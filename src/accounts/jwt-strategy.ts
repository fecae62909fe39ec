import type { IncomingMessage } from 'node:http';
import { Passport } from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { findVerificationKey, type TokenSettings, toVerifiedToken, type VerifiedToken } from './access-tokens.js';

/** Verifies the `Authorization: Bearer …` header of a request; undefined for an invalid token. */
export type VerifyAccessToken = (request: IncomingMessage) => Promise<VerifiedToken | undefined>;

/** Adapts passport-jwt: checks signature (RS256 only), `kid`, issuer, `exp`, `nbf` and the claims of an access token. */
export function createAccessTokenVerifier({ keys, issuer }: TokenSettings): VerifyAccessToken {
  const passport = new Passport();
  passport.use(
    new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        issuer,
        algorithms: ['RS256'],
        secretOrKeyProvider(_request, token: string, done) {
          const key = findVerificationKey(keys, token);
          if (key) done(null, key.pem);
          else done(new Error('unknown key'));
        },
      },
      (payload: unknown, done) => done(null, toVerifiedToken(payload) ?? false),
    ),
  );
  return (request) =>
    new Promise((resolve) => {
      const refuse = () => resolve(undefined);
      const authenticate = passport.authenticate(
        'jwt',
        { session: false },
        (error: unknown, token: VerifiedToken | false | undefined) => resolve(error || !token ? undefined : token),
      );
      authenticate(request, undefined, refuse);
    });
}
