import type Router from '@koa/router';
import { ACR } from '../../policy/levels.js';
import type { TokenAnswer } from './access-token-check.js';

/** Path of the API beneath the demonstration's address; the whole is its identifier. */
export const API_PATH = '/api';

const STRONG_ENOUGH = [ACR['2fa'], ACR.phr];

export type CheckToken = (
  authorization: string,
  need: { scope: string; acr?: readonly string[] },
) => Promise<TokenAnswer>;

/** A resource server in one route: reads nothing but the access token. */
export function mountApi(router: Router, check: CheckToken): void {
  router.get(`${API_PATH}/timesheets`, async (ctx) => {
    let answer: TokenAnswer;
    try {
      answer = await check(ctx.get('Authorization'), { scope: 'timesheets:read', acr: STRONG_ENOUGH });
    } catch {
      ctx.status = 503;
      ctx.body = { error: 'temporarily_unavailable', error_description: 'The issuer’s keys are out of reach' };
      return;
    }
    if (!answer.allowed) {
      ctx.status = answer.status;
      ctx.set('WWW-Authenticate', answer.challenge);
      ctx.body = { message: answer.reason };
      return;
    }
    const { sub, acr, client_id } = answer.claims;
    ctx.body = {
      timesheet: [
        { project: 'Lighthouse', hours: 6.5 },
        { project: 'Internal', hours: 1.5 },
      ],
      decidedBy: { sub, acr, client_id },
    };
  });
}
