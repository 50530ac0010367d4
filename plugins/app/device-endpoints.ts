import { z } from 'zod';
import type { FactorDeps } from '../../src/factors/contract.js';
import type { AppData } from './data.js';
import { type Endpoint, endpoint } from './device-api.js';
import { ok, problem } from './envelope.js';
import type { Push } from './push.js';

const nothing = z.strictObject({});

/** What a phone asks about itself: its state, and to be forgotten. */
export const deviceEndpoints = ({
  giveUp,
  issuerName,
  push,
}: FactorDeps<AppData> & { push: Pick<Push, 'tell'> }): Endpoint[] => [
  endpoint({
    path: '/device',
    body: nothing,
    isForPending: true,
    async handle({ device, account }) {
      const { _id, state, label, data } = device;
      return ok({
        deviceId: _id,
        state,
        label: state === 'active' ? label : data.model,
        issuerName,
        account: { login: account.login, name: account.name },
        push: await push.tell(device),
      });
    },
  }),
  endpoint({
    path: '/remove',
    body: nothing,
    async handle({ device, account, request: { requestId, ip } }) {
      const isGone = await giveUp(account, device._id, { requestId, ...(ip ? { ip } : {}) });
      return isGone ? ok() : problem('REFUSED');
    },
  }),
];
