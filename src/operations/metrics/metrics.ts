/** The only importer of the Prometheus client. `docs/operating.md` says what each metric is good for; a test holds the two together. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditEvent } from '../../audit/index.js';
import type { Answered } from '../../http/index.js';
import type { CommandWatch } from './command-watch.js';
import type { Readings } from './readings.js';

export interface Metrics extends CommandWatch {
  /** A request was answered. */
  answered(answer: Answered): void;
  /** Something was written into the audit. */
  audited(event: AuditEvent): void;
  /** A limit refused an attempt. @param counter its name, see `ThrottleRule`. */
  throttled(counter: string): void;
  /** In the text format of Prometheus, with what the database tells when it does. */
  text(): Promise<string>;
  contentType: string;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);
const FACTOR_OUTCOMES: Partial<Record<AuditEvent['type'], string>> = {
  factor_verified: 'verified',
  factor_rejected: 'rejected',
  factor_throttled: 'throttled',
  factor_sent: 'sent',
  factor_send_refused: 'send_refused',
};

/** Words of ours and nothing else: whatever slips in from outside must not become a label. */
const word = (value: unknown): string => (/^[a-z][a-z_]{0,31}$/.test(String(value)) ? String(value) : 'other');

/** @param read what is counted in the database, for all nodes. */
export function createMetrics(read: () => Promise<Readings | undefined>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `countersign_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Histogram({ name: `countersign_${name}`, help, labelNames, buckets: SECONDS, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `countersign_${name}`, help, labelNames, registers });
  collectDefaultMetrics({ register: registry });

  const requests = counter('http_requests_total', 'Requests answered', ['route', 'method', 'status']);
  const duration = histogram('http_request_duration_seconds', 'Time until a request was answered', ['route']);
  const signIns = counter('sign_ins_total', 'Sign-ins ended, by method of the last step', ['method', 'outcome']);
  const factors = counter('second_factor_attempts_total', 'Second steps tried and messages sent', [
    'method',
    'outcome',
  ]);
  const throttled = counter('throttled_total', 'Attempts refused by a limit', ['counter']);
  const events = counter('audit_events_total', 'Events written into the audit', ['type']);
  const commands = histogram('database_command_duration_seconds', 'Commands answered by MongoDB', ['command']);
  const failures = counter('database_command_failures_total', 'Commands that MongoDB refused or that broke off', [
    'command',
  ]);
  const waits = histogram('database_pool_wait_seconds', 'Time until a connection of the pool was free', []);
  const refusals = counter('database_pool_refusals_total', 'Times the pool had no connection to give', []);
  const inUse = gauge('database_connections_in_use', 'Connections of the pool that somebody has at the moment');
  const isRead = gauge('database_readings_up', '1 when what follows from the database could be read');
  const fromDatabase = {
    outboxDue: gauge('outbox_due', 'Rows of the outbox that wait, by lane', ['lane']),
    outboxOverdue: gauge('outbox_overdue_seconds', 'For how long the first of them should have been tried', ['lane']),
    outboxDead: gauge('outbox_dead_letters', 'Rows given up'),
    recoveryOpen: gauge('recovery_requests_open', 'Requests to the recovery desk that nobody has decided'),
    recoveryOldest: gauge('recovery_request_oldest_seconds', 'Age of the oldest of them'),
    smsMessages: gauge('sms_messages_today', 'Messages that count against the budget of the day'),
    smsMessagesLimit: gauge('sms_messages_limit', 'Messages that the budget of the day allows'),
    smsAmount: gauge('sms_amount_today', 'Spent today, in the currency of the budget'),
    smsAmountLimit: gauge('sms_amount_limit', 'What may be spent in a day'),
    smsExhausted: gauge('sms_budget_exhausted', '1 when no further message fits into the budget of the day'),
    streams: gauge('event_streams_open', 'Pages that listen to this node'),
  };

  const take = (readings: Readings | undefined): void => {
    for (const one of Object.values(fromDatabase)) one.reset();
    isRead.set(readings ? 1 : 0);
    if (!readings) return;
    const { outbox, recovery, sms, streams } = readings;
    for (const { lane, due, overdueSeconds } of outbox.lanes) {
      fromDatabase.outboxDue.set({ lane }, due);
      fromDatabase.outboxOverdue.set({ lane }, overdueSeconds);
    }
    fromDatabase.outboxDead.set(outbox.dead);
    fromDatabase.recoveryOpen.set(recovery.open);
    fromDatabase.recoveryOldest.set(recovery.oldestSeconds);
    fromDatabase.streams.set(streams);
    if (!sms) return;
    fromDatabase.smsMessages.set(sms.messages);
    fromDatabase.smsMessagesLimit.set(sms.messagesLimit);
    fromDatabase.smsAmount.set(sms.amount);
    if (sms.amountLimit !== undefined) fromDatabase.smsAmountLimit.set(sms.amountLimit);
    fromDatabase.smsExhausted.set(sms.isExhausted ? 1 : 0);
  };

  return {
    answered({ route, method, status, seconds }) {
      requests.inc({ route, method: METHODS.has(method) ? method : 'other', status: String(status) });
      duration.observe({ route }, seconds);
    },
    audited({ type, details = {} }) {
      events.inc({ type });
      const outcome = FACTOR_OUTCOMES[type];
      if (outcome) factors.inc({ method: word(details.method), outcome });
      if (type === 'authn_login_success')
        signIns.inc({ method: word(details.method ?? 'password'), outcome: 'success' });
      if (type === 'authn_login_fail') signIns.inc({ method: 'password', outcome: word(details.reason) });
    },
    // `country:DE` and `method:totp` are one limit for each country and method.
    throttled: (name) => throttled.inc({ counter: word(name.split(':', 1)[0]) }),
    commandEnded(command, seconds, isOk) {
      if (isOk) commands.observe({ command: commandName(command) }, seconds);
      else failures.inc({ command: commandName(command) });
    },
    connectionTaken(seconds) {
      waits.observe(seconds);
      inUse.inc();
    },
    connectionBack: () => inUse.dec(),
    connectionRefused: () => refusals.inc(),
    async text() {
      take(await read());
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** Names of commands are the driver's: a few dozen. */
const commandName = (name: string): string => (/^[A-Za-z]{1,40}$/.test(name) ? name : 'other');
