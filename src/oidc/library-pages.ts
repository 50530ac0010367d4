import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { AppError } from '../errors.js';
import type { Presenter } from '../http/index.js';
import { stateOf, toAppError } from '../http/index.js';
import { isDatabaseUnavailable } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';

/** The library's own pages (errors, logout, device flow) in our layout; its steps and its form fields stay as they are. */
export interface LibraryPages {
  error(ctx: KoaContextWithOIDC, out: { error: string; error_description?: string }, error: Error): Promise<void>;
  logout(ctx: KoaContextWithOIDC): Promise<void>;
  loggedOut(ctx: KoaContextWithOIDC): Promise<void>;
  deviceCode(ctx: KoaContextWithOIDC, form: string, out?: unknown, error?: Error): Promise<void>;
  deviceConfirm(
    ctx: KoaContextWithOIDC,
    form: string,
    client: { clientName?: string; clientId: string },
    deviceInfo: Record<string, unknown>,
    userCode: string,
  ): Promise<void>;
  deviceDone(ctx: KoaContextWithOIDC): Promise<void>;
}

const DEVICE_ERRORS: Readonly<Record<string, string>> = {
  NotFoundError: 'not_found',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'aborted',
  NoCodeError: 'missing',
};

export function createLibraryPages(deps: {
  presenter: Presenter;
  logger: Logger;
  /** Names the application that this browser's sign-in was for, when the request itself no longer says. */
  applicationOf(ctx: Context): Promise<void>;
}): LibraryPages {
  const { presenter, logger } = deps;
  const plain = (ctx: KoaContextWithOIDC): Context => ctx as unknown as Context;
  const xsrfOf = (ctx: KoaContextWithOIDC): unknown =>
    (ctx.oidc.session?.state as { secret?: string } | undefined)?.secret;
  const nameOf = (client: { clientName?: string; clientId: string } | undefined): string | undefined =>
    client && (client.clientName ?? client.clientId);

  return {
    async error(ctx, out, error) {
      const { requestId } = stateOf(plain(ctx));
      if (out.error === 'server_error') {
        // The outermost error handler answers for what is ours or the database's.
        throw isDatabaseUnavailable(error)
          ? toAppError(error)
          : new AppError('INTERNAL', 'provider fault', { cause: error });
      }
      logger.info({ requestId, error: out.error, reason: out.error_description }, 'request refused by the provider');
      const { client } = ctx.oidc;
      if (client) {
        const href = client.initiateLoginUri ?? client.clientUri;
        stateOf(plain(ctx)).application = { name: nameOf(client) as string, ...(href ? { href } : {}) };
      } else await deps.applicationOf(plain(ctx));
      if (error.name === 'SessionNotFound') {
        presenter.showError(plain(ctx), new AppError('INTERACTION_ENDED', out.error_description));
        return;
      }
      const { application } = stateOf(plain(ctx));
      presenter.show(
        plain(ctx),
        'error',
        { code: 'OAUTH_ERROR', error: out.error, description: out.error_description, requestId, application },
        Math.max(ctx.status, 400),
      );
    },

    async logout(ctx) {
      presenter.show(plain(ctx), 'logout', {
        form: { action: ctx.oidc.urlFor('end_session_confirm'), xsrf: xsrfOf(ctx) },
        applicationName: nameOf(ctx.oidc.client),
      });
    },

    async loggedOut(ctx) {
      const { client } = ctx.oidc;
      presenter.show(plain(ctx), 'logout-done', { applicationName: nameOf(client), href: client?.clientUri });
    },

    async deviceCode(ctx, _form, _out, error) {
      const session = ctx.oidc.session as unknown as { new?: boolean; touched?: boolean } | undefined;
      if (error && session?.new) {
        // The session of the form is over. The library would fail over a session that it marks as changed but never stored.
        session.touched = false;
        presenter.show(plain(ctx), 'ended', { reason: 'expired', href: ctx.oidc.urlFor('code_verification') }, 400);
        return;
      }
      const known = error && (DEVICE_ERRORS[error.name] ?? 'other');
      presenter.show(
        plain(ctx),
        'device-code',
        {
          action: ctx.oidc.urlFor('code_verification'),
          xsrf: xsrfOf(ctx),
          userCode: (error as { userCode?: string } | undefined)?.userCode,
          ...(known ? { error: known } : {}),
        },
        known && known !== 'aborted' ? 400 : 200,
      );
    },

    async deviceConfirm(ctx, _form, client, deviceInfo, userCode) {
      presenter.show(plain(ctx), 'device-confirm', {
        action: ctx.oidc.urlFor('code_verification'),
        xsrf: xsrfOf(ctx),
        userCode,
        applicationName: nameOf(client),
        deviceInfo: { ip: deviceInfo.ip, userAgent: deviceInfo.ua },
      });
    },

    async deviceDone(ctx) {
      presenter.show(plain(ctx), 'device-done', { applicationName: nameOf(ctx.oidc.client) });
    },
  };
}
