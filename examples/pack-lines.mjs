// node pack-lines.mjs TASK-ID LINE… prints the event by which CloudWatch Logs delivers lines of a task.
import { gzipSync } from 'node:zlib';

const [taskId, ...lines] = process.argv.slice(2);
const batch = {
  messageType: 'DATA_MESSAGE',
  owner: '123456789012',
  logGroup: 'reefguide-executions',
  logStream: `execution/main/${taskId}`,
  subscriptionFilters: ['Lines'],
  logEvents: lines.map((message, n) => ({ id: `${taskId}-${n}`, timestamp: Date.now(), message })),
};
console.log(JSON.stringify({ awslogs: { data: gzipSync(JSON.stringify(batch)).toString('base64') } }));
