import type { Account } from '../accounts/contract.js';
import type { Announcement, AnnouncementType } from './announcements.js';
import type { Notice } from './contract.js';
import type { Delivery, Outbox } from './outbox.js';

export interface AnnouncingDeps {
  issuer: string;
  outbox: Pick<Outbox, 'notify'>;
  /** The account as it is now; undefined once it is deleted. */
  findAccount(id: string): Promise<Account | undefined>;
  /** Active accounts whose role lets them help others. */
  administrators(): Promise<readonly Account[]>;
  /** Tells other tools. Called again with the same id when a node died in between: nothing may be sent twice. */
  publish(announcementId: string, announcement: Announcement): Promise<void>;
}

type Params = Record<string, string | number>;

interface Telling {
  /** The mail to the person it happened to. */
  person?: Notice;
  /** False: another announcement tells the person already. */
  isTold?(facts: Announcement['facts']): boolean;
  /** The mail to administrators, and the console's page that it leads to. */
  administrators?: {
    notice: Notice;
    page(announcement: Announcement): string /** Not all who help others. */;
    isForOwners?: true;
  };
}

const requestPage = ({ facts }: Announcement): string => `requests/${facts.requestId}`;
const smsPage = (): string => 'sms';
const personPage = ({ accountId }: Announcement): string => `people/${accountId}`;

/** Who gets which mail about what. Webhooks hear of everything that their events name. */
const TELLINGS: Readonly<Record<AnnouncementType, Telling>> = {
  recovery_request_filed: {
    person: 'recovery_request_sent',
    administrators: { notice: 'recovery_request_received', page: requestPage },
  },
  recovery_request_approved: { person: 'recovery_request_approved' },
  recovery_request_declined: { person: 'recovery_request_declined' },
  recovery_request_withdrawn: {},
  recovery_request_expired: {},
  recovery_request_superseded: {},
  suspension_started: { person: 'suspension_started', isTold: ({ requestId }) => requestId === undefined },
  suspension_used: { person: 'suspension_used' },
  suspension_ended: { person: 'suspension_ended' },
  access_code_issued: { person: 'access_code_issued' },
  access_pass_issued: { person: 'access_pass_issued' },
  access_pass_used: { person: 'access_pass_used' },
  access_pass_revoked: {},
  factor_revoked: { person: 'factor_revoked' },
  role_granted: { person: 'role_granted' },
  role_revoked: { person: 'role_revoked' },
  account_created: {},
  account_updated: {},
  account_deactivated: {},
  account_reactivated: {},
  account_deleted: {},
  not_me_reported: { administrators: { notice: 'not_me_alert', page: personPage } },
  sign_in_denied: { person: 'sign_in_denied', administrators: { notice: 'sign_in_denied_alert', page: personPage } },
  sms_budget_warned: { administrators: { notice: 'sms_budget_warned', page: smsPage } },
  sms_budget_exhausted: { administrators: { notice: 'sms_budget_exhausted', page: smsPage } },
  sms_country_closed: { administrators: { notice: 'sms_country_closed', page: smsPage } },
  signing_keys_replaced: {
    administrators: {
      notice: 'signing_keys_replaced',
      page: () => 'audit?type=signing_keys_replaced',
      isForOwners: true,
    },
  },
};

/** What nobody should do on the server without the owners knowing: it lets somebody in, or makes somebody powerful. */
const BREAKS_GLASS: ReadonlySet<AnnouncementType> = new Set([
  'suspension_started',
  'access_pass_issued',
  'factor_revoked',
  'role_granted',
  'role_revoked',
]);

/** Facts that sentences speak of, under the names they have there. */
const SPOKEN_OF = {
  until: 'until',
  expiresAt: 'until',
  method: 'method',
  circumstances: 'circumstances',
  otherBrowsers: 'otherBrowsers',
  end: 'end',
  role: 'role',
  percent: 'percent',
  country: 'country',
} as const;

function paramsOf({ at, facts }: Announcement): Params {
  const params: Params = { at };
  for (const [fact, param] of Object.entries(SPOKEN_OF)) {
    const value = facts[fact];
    if (typeof value === 'string' || typeof value === 'number') params[param] = value;
  }
  return params;
}

/**
 * Delivers an announcement: one row in the outbox for each channel and receiver, whose id says which. However often this is begun,
 * by whichever nodes, and wherever it breaks off, each row is made once.
 */
export function createAnnouncing({ issuer, outbox, findAccount, administrators, publish }: AnnouncingDeps): Delivery {
  return async (payload, { id }) => {
    const announcement = payload as Announcement;
    const { type, accountId, facts } = announcement;
    const telling = TELLINGS[type];
    const params = paramsOf(announcement);
    const account = accountId === undefined ? undefined : await findAccount(accountId);

    if (account && telling.person && (telling.isTold?.(facts) ?? true)) {
      await outbox.notify(account, telling.person, params, { id: `${id}:mail:${accountId}` });
    }
    if (telling.administrators && (account || accountId === undefined)) {
      const { notice, page, isForOwners = false } = telling.administrators;
      const link = `${issuer}/console/${page(announcement)}`;
      for (const administrator of await administrators()) {
        // Nobody decides on their own request.
        if (administrator.id === accountId) continue;
        if (isForOwners && !administrator.roles?.includes('owner')) continue;
        const posting = { id: `${id}:admin:${administrator.id}` };
        await outbox.notify(
          administrator,
          notice,
          { ...params, ...(account ? { who: account.name } : {}), link },
          posting,
        );
      }
    }
    if (account && facts.operator === true && BREAKS_GLASS.has(type)) {
      const link = `${issuer}/console/${personPage(announcement)}`;
      for (const owner of (await administrators()).filter(({ roles }) => roles?.includes('owner'))) {
        const told = { ...params, deed: type, who: account.name, link };
        await outbox.notify(owner, 'operator_acted', told, { id: `${id}:owner:${owner.id}` });
      }
    }
    await publish(id, announcement);
  };
}
