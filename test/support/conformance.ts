import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Route } from '../../src/contract/route.js';
import { createOpenApi, toOpenApiPath } from '../../src/server/http/openapi.js';

interface Exchange {
  method: string;
  path: string;
  status: number;
  isJson: boolean;
  body: unknown;
}

const checks = new WeakMap<readonly Route[], (exchange: Exchange) => void>();

/** Throws when an answer differs from the OpenAPI document's description of its route and status. */
export function checkConformance(routes: readonly Route[], exchange: Exchange): void {
  let check = checks.get(routes);
  if (!check) {
    check = createCheck(routes);
    checks.set(routes, check);
  }
  check(exchange);
}

function createCheck(routes: readonly Route[]) {
  const document = createOpenApi(routes, 'test');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'openapi', components: document.components });
  const validators = new Map<object, ValidateFunction>();
  const patterns = routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/\*\w+/g, '.+').replaceAll(/:\w+/g, '[^/]+')}$`),
  }));

  return ({ method, path, status, isJson, body }: Exchange) => {
    const pathname = path.split('?')[0] ?? '';
    const match = patterns.find(
      ({ route, pattern }) => route.method === method.toLowerCase() && pattern.test(pathname),
    );
    if (!match) return;
    const operation = document.paths?.[toOpenApiPath(match.route.path)]?.[match.route.method];
    const described = operation?.responses?.[String(status)];
    const where = `${method} ${match.route.path} ${status}`;
    if (!described || !('description' in described)) throw new Error(`${where} is not in the OpenAPI document`);
    const schema: unknown = described.content?.['application/json']?.schema;
    if (typeof schema !== 'object' || schema === null) {
      if (isJson) throw new Error(`${where} answers JSON, unlike the OpenAPI document`);
      return;
    }
    if (!isJson) throw new Error(`${where} should answer JSON: ${String(body).slice(0, 200)}`);
    let validate = validators.get(schema);
    if (!validate) {
      validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')));
      validators.set(schema, validate);
    }
    if (!validate(body)) {
      throw new Error(
        `${where} does not conform: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body).slice(0, 500)}`,
      );
    }
  };
}
