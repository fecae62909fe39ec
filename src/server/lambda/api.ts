import { behindGateway, type GatewayAnswer } from './api-gateway.js';
import { assembleOnLambda, onceMade } from './assemble.js';

const ready = onceMade(async () => {
  const { service, close } = await assembleOnLambda();
  return { gateway: await behindGateway(service.api), close };
});

/** The API behind API Gateway: the same app as `serve`, assembled at the first request of an instance. */
export async function handler(event: unknown): Promise<GatewayAnswer> {
  return (await ready()).gateway.handle(event);
}

/** Ends the instance. Lambda freezes it and never asks for that; a test does. */
export async function close(): Promise<void> {
  const { gateway, close } = await ready();
  await gateway.close();
  await close();
}
