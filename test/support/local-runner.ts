import { randomBytes } from 'node:crypto';
import type { CommandRequest, CommandRunner } from '../../src/executions/runners/runner.js';

export const createRequest = (command: string, changes: Partial<CommandRequest> = {}): CommandRequest => ({
  executionId: randomBytes(16).toString('hex'),
  command,
  image: {
    image: 'ubuntu:24.04',
    cpu: 256,
    memory: 512,
    runtime_platform: 'Linux/X86_64',
    task_role_name: null,
    task_execution_role_name: null,
  },
  taskDefinition: undefined,
  env: {},
  timeoutSeconds: 60,
  git: undefined,
  ...changes,
});

export interface ObservedCommand {
  id: string;
  taskArn: string;
  running: Promise<void>;
  /** Returns the output so far. */
  text(): string;
  ended: Promise<{ exitCode: number; text: string; lines: string[] }>;
}

/** Starts a command and reads its output. */
export async function startObserved(runner: CommandRunner, request: CommandRequest): Promise<ObservedCommand> {
  const { taskArn, attached } = await runner.start(request);
  if (!attached) throw new Error('expected an attached command');
  let text = '';
  const read = (async () => {
    for await (const chunk of attached.output) text += Buffer.from(chunk).toString();
  })();
  const ended = (async () => {
    const { exitCode } = await attached.ended;
    await read;
    await attached.release();
    return { exitCode, text, lines: text.split('\n').slice(0, -1) };
  })();
  return { id: request.executionId, taskArn, running: attached.running, text: () => text, ended };
}
