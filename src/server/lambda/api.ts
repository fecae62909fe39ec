import { type GatewayAnswer, serveBehindGateway } from './api-gateway.js';
import { assembleOnLambda, shareResult } from './assemble.js';

const getInstance = shareResult(async () => {
  const { service, close } = await assembleOnLambda();
  return { gateway: await serveBehindGateway(service.api), close };
});

/** Answers an event of API Gateway with the app of `serve`, assembled at the first request of an instance. */
export async function handler(event: unknown): Promise<GatewayAnswer> {
  return (await getInstance()).gateway.handle(event);
}

/** Closes the instance. For tests alone, because Lambda only freezes an instance. */
export async function close(): Promise<void> {
  const { gateway, close } = await getInstance();
  await gateway.close();
  await close();
}
