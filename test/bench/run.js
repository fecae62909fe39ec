// `npm run bench`: one run, one table. Needs about ten minutes on an otherwise idle machine.
import os from 'node:os';
import Table from 'cli-table3';
import { buildEnvCalls, jobToLaunch, oneTurn, simulatedDay, synthSeconds } from './aws.js';
import { devReady, startUp } from './commands.js';
import { enlarge, settle, transactionsPerSecond } from './disk.js';
import * as executions from './executions.js';
import * as queue from './queue.js';
import { residentMb, startSystem } from './system.js';
import { heldPolls } from './waiting.js';

const rows = [];
const print = (text) => process.stderr.write(`${text}\n`);
const whole = (value) => Math.round(value).toLocaleString('en');

/** Adds a row; `met` is undefined for a row without a target. */
function row(name, measured, target, met) {
  rows.push([name, measured, target, met === undefined ? '' : met ? 'yes' : 'NO']);
  print(`${name}: ${measured}`);
}

const system = await startSystem();
const { databaseUrl } = system;
let limit = 0;
const quietly = async (work) => {
  await settle(databaseUrl);
  return work();
};

try {
  const first = residentMb(system.pid);
  row('serve at rest, after its first start', `${whole(first)} MB`, '200 MB', first <= 200);
  row('POST /api/jobs to the claim answered: median, p99', ...(await latency()));
  const launchMs = await jobToLaunch(system);
  row('capacity run on ECS: new job to RunTask, slowest of ten', `${whole(launchMs)} ms`, '1,000 ms', launchMs < 1000);
  const held = await heldPolls(system);
  row(
    '2,000 long polls held: memory added',
    `${whole(held.addedMb)} MB, ${held.right} answered`,
    '150 MB',
    held.addedMb < 150 && held.right === 2000,
  );
  const one = await transactionsPerSecond(databaseUrl, 1);
  limit = await transactionsPerSecond(databaseUrl, 10);
  row(
    'limit of the disk: insert + update a transaction, 1 / 10 clients',
    `${whole(one)} / ${whole(limit)} a second`,
    '',
    undefined,
  );

  const small = await throughput('', { create: 600, claim: Math.max(450, 0.35 * limit), three: 200, many: 8000 });
  print('filling the tables …');
  await enlarge(databaseUrl, 1_000_000, 100_000);
  await throughput(', 1,100,000 jobs in the tables', {
    create: 0.7 * small.create,
    claim: 0.7 * small.claim,
    three: 0.7 * small.three,
    many: 0.7 * small.many,
  });
} finally {
  await system.stop();
}

await commands();

const turn = await oneTurn();
row(
  'one turn: 10,000 waiting jobs, 20 groups, 500 tasks',
  `${turn.cpuSeconds.toFixed(2)} s of CPU, ${turn.describing} describing calls`,
  '1 s, 10 calls',
  turn.cpuSeconds < 1 && turn.describing <= 10,
);
const day = simulatedDay();
row(
  'manager through 24 simulated hours of bursts: heap after 2 h, after 24 h',
  `${day.early.toFixed(1)} MB, ${day.late.toFixed(1)} MB, ${day.resources} timers more, ${whole(day.done)} jobs`,
  'flat',
  day.late < day.early + 3 && day.resources <= 0 && day.unfinished === 0,
);
const each = await buildEnvCalls(20);
const some = await buildEnvCalls(4);
row(
  'capacity build-env with 20 secret variables out of 20 / 4 secrets',
  `${each.calls} / ${some.calls} GetSecretValue, ${whole(each.ms)} ms`,
  '20 / 4 calls',
  each.calls === 20 && some.calls === 4,
);
const synth = synthSeconds();
row('npx cdk synth of the sample', `${synth.toFixed(1)} s`, '30 s', synth < 30);

const times = startUp();
const ratio = (a, b) => `${whole(a)} ms, ${(a / b).toFixed(2)} x ${whole(b)} ms`;
row(
  'reefguide --version',
  ratio(times.version, times.otherVersion),
  '1.3 x',
  times.version <= 1.3 * times.otherVersion,
);
row('jobs list --help', ratio(times.help, times.otherHelp), '1.3 x', times.help <= 1.3 * times.otherHelp);
const dev = await devReady();
row(
  'dev ready, first / later start',
  `${dev.first.toFixed(1)} s / ${dev.later.toFixed(1)} s`,
  '8 s / 3 s',
  dev.first <= 8 && dev.later <= 3,
);

const table = new Table({ head: ['row', 'measured', 'target', 'met'], style: { head: [], border: [] } });
table.push(...rows);
process.stdout.write(
  `${table.toString()}\nNode.js ${process.version}, ${os.cpus().length} cores, ${os.type()} ${os.arch()}\n`,
);
process.exit(0);

/** Adds the rows of ad hoc commands, measured on a system of their own. */
async function commands() {
  const commandSystem = await startSystem();
  try {
    const first = await executions.firstLine(commandSystem);
    row(
      'POST /run answered, first line at a subscriber: p99 of 200',
      `${whole(first.answered)} ms, ${whole(first.heard)} ms`,
      '50 ms, 150 ms',
      first.answered <= 50 && first.heard <= 150,
    );
    const lines = await executions.manyLines(commandSystem);
    row(
      'one command that prints 200,000 lines: stored, memory added',
      `${whole(lines.perSecond)} a second, ${lines.right ? 'once and in order' : 'NOT RIGHT'}, ${whole(lines.addedMb)} MB`,
      '20,000 a second, 100 MB',
      lines.right && lines.perSecond >= 20_000 && lines.addedMb < 100,
    );
    const heard = await executions.manySubscribers(commandSystem);
    row(
      '500 subscribers of 100 lines a second: p99 from printed to heard',
      `${whole(heard.p99)} ms, ${heard.whole} heard every line`,
      '250 ms, 500',
      heard.p99 <= 250 && heard.whole === 500,
    );
    const events = await executions.manyEvents(commandSystem);
    row(
      'events at /process, each sent twice',
      `${whole(events.perSecond)} a second, ${events.right ? 'each applied once' : 'NOT RIGHT'}`,
      '1,000 a second',
      events.right && events.perSecond >= 1000,
    );
    const many = await executions.manyCommands(commandSystem);
    row(
      '200 commands at once (true)',
      `${many.seconds.toFixed(1)} s, ${many.succeeded} succeeded, ${many.zombies} zombies, ${many.descriptors} descriptors more`,
      '200, 0, 0',
      many.succeeded === 200 && many.zombies === 0 && many.descriptors <= 0,
    );
  } finally {
    await commandSystem.stop();
  }
}

/** Returns the cells of the row on latency. */
async function latency() {
  const { median, p99 } = await quietly(() => queue.latency(system));
  return [`${median.toFixed(1)} ms, ${p99.toFixed(1)} ms`, '20 ms, 50 ms', median <= 20 && p99 <= 50];
}

/** Adds the four rows on throughput; `targets` in jobs a second. */
async function throughput(suffix, targets) {
  const add = (name, rate, target, extra = '') =>
    row(
      `${name}${suffix}`,
      `${whole(rate)} a second${extra}`,
      `${whole(target)} a second`,
      rate >= target && !extra.includes('assigned twice'),
    );
  const create = await quietly(() => queue.create(system));
  add('create, 10 clients', create, targets.create);
  const claim = await quietly(() => queue.claimOne(system));
  add(
    'claim one, report one, 10 workers',
    claim,
    targets.claim,
    suffix ? '' : `, ${Math.round((100 * claim) / limit)} % of the limit`,
  );
  const three = await quietly(() => queue.threeCalls(system));
  add(
    'poll, assign, report, 10 racing workers',
    three.rate,
    targets.three,
    three.twice > 0 ? `, ${three.twice} assigned twice` : '',
  );
  const many = await quietly(() => queue.claimMany(system));
  add('claim and report 100 at once, 4 workers', many, targets.many);
  return { create, claim, three: three.rate, many };
}
