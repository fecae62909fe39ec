import serverless from 'serverless-http';
import { assembleOnLambda, onceMade } from './on-lambda.js';

const ready = onceMade(async () => serverless((await assembleOnLambda()).service.api));

/** The API behind API Gateway: the same app as `serve`, assembled at the first request of an instance. */
export async function handler(event: object, context: object): Promise<object> {
  return (await ready())(event, context);
}
