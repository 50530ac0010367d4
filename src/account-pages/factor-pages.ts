import type { Context } from 'koa';
import { AppError } from '../errors.js';
import { LABEL_MAX_LENGTH } from '../factors/index.js';
import { originOf, seeOther } from '../http/index.js';
import { mountTrial } from '../interaction/index.js';
import type { SecurityPageDeps } from './home.js';
import type { Visitor } from './visitor.js';

/** Adding, changing, renaming and removing login methods: each asks for a second factor proved in the last minutes. */
export function mountFactorPages(deps: SecurityPageDeps): void {
  const { pages, presenter, visitors, engine, url } = deps;
  const home = url('/account');

  /** An account without any factor sets its first one up in the wizard, under its own rule. */
  const openSetUp = async (ctx: Context, path: string): Promise<Visitor | undefined> => {
    const visitor = await visitors.require(ctx, path, { fresh: true });
    if (visitor && !visitor.hasFactor) {
      visitors.askAgain(ctx, '/account');
      return undefined;
    }
    return visitor;
  };

  /** A first factor without codes to fall back on is half a set-up. */
  const leadOn = async (ctx: Context, { account }: Visitor, done: string): Promise<void> => {
    const hasCodes = (await engine.forAccount(account.id)).some(({ kind }) => kind === 'reserve');
    const reserve = engine.enrollable().find(({ kind }) => kind === 'reserve');
    seeOther(ctx, hasCodes || !reserve ? `${home}?done=${done}` : url(`/account/add/${reserve.id}`));
  };

  /** @param pattern with `:id` where a new one takes the place of that one. */
  const mountSetUp = (
    pattern: string,
    { method, kind, enrolmentFields }: ReturnType<typeof engine.forms>[number],
    done: string,
  ): void => {
    const isCalled = (id: string | undefined): string => (id ? pattern.replace(':id', id) : pattern);
    const locals = (id: string | undefined) => ({
      action: url(isCalled(id)),
      backHref: home,
      replaces: kind === 'reserve',
    });
    pages.get(pattern, async (ctx, { id }) => {
      const visitor = await openSetUp(ctx, isCalled(id));
      if (visitor) await deps.enrolmentPage.show(ctx, visitor.account, { method, replaces: id }, locals(id));
    });
    pages.form(pattern, enrolmentFields, async (ctx, evidence, { id }) => {
      const visitor = await openSetUp(ctx, isCalled(id));
      if (!visitor) return;
      const wanted = { method, replaces: id };
      const enrolled = await deps.enrolmentPage.confirm(ctx, visitor.account, wanted, evidence, locals(id));
      if (enrolled && isTried(method)) return seeOther(ctx, url(`/account/try/${method}/${enrolled.factorId}`));
      if (enrolled) await leadOn(ctx, visitor, done);
    });
  };

  const isTried = (method: string): boolean => engine.enrollable().some(({ id, isTried: is }) => id === method && is);

  const mountTrialOf = ({ method, evidenceFields }: ReturnType<typeof engine.forms>[number]): void =>
    mountTrial(deps, {
      pattern: `/account/try/${method}/:id`,
      method,
      evidenceFields,
      async open(ctx, { id = '' }) {
        const path = `/account/try/${method}/${id}`;
        const visitor = await visitors.require(ctx, path);
        if (!visitor) return undefined;
        const { account, sessionUid } = visitor;
        const factor = await engine.find(account.id, id);
        if (factor?.method !== method) throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
        return {
          account,
          factorId: id,
          label: factor.label,
          within: sessionUid,
          href: url(path),
          leave: (hasWorked) => leadOn(ctx, visitor, hasWorked ? 'tried' : 'enrolled'),
        };
      },
    });
  for (const form of engine.forms()) {
    mountSetUp(`/account/add/${form.method}`, form, form.kind === 'reserve' ? 'codes_created' : 'enrolled');
    const { maximumPerAccount } = engine.enrollable().find(({ id }) => id === form.method) ?? {};
    if (isTried(form.method)) mountTrialOf(form);
    if (maximumPerAccount !== undefined) mountSetUp(`/account/change/${form.method}/:id`, form, 'changed');
  }

  const openFactor = async (ctx: Context, id: string, change: 'rename' | 'remove') => {
    const visitor = await visitors.require(ctx, `/account/factors/${id}/${change}`, { fresh: true });
    if (!visitor) return undefined;
    const factor = await engine.find(visitor.account.id, id);
    if (!factor) throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    return { visitor, factor };
  };

  pages.get('/account/factors/:id/rename', async (ctx, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'rename');
    if (!opened) return;
    presenter.show(ctx, 'account/rename', {
      action: url(`/account/factors/${id}/rename`),
      label: opened.factor.label,
      backHref: home,
    });
  });
  pages.form('/account/factors/:id/rename', { label: LABEL_MAX_LENGTH }, async (ctx, { label }, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'rename');
    if (!opened) return;
    const outcome = await engine.rename(opened.visitor.account, id, label, originOf(ctx));
    if (outcome === 'not_found') throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    if (outcome === 'renamed') return seeOther(ctx, `${home}?done=renamed`);
    presenter.show(
      ctx,
      'account/rename',
      { action: url(`/account/factors/${id}/rename`), label, backHref: home, error: 'malformed' },
      422,
    );
  });

  pages.get('/account/factors/:id/remove', async (ctx, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'remove');
    if (!opened) return;
    const primaries = (await engine.forAccount(opened.visitor.account.id))
      .filter(({ kind }) => kind === 'primary')
      .flatMap(({ factors }) => factors);
    presenter.show(ctx, 'account/remove', {
      action: url(`/account/factors/${id}/remove`),
      label: opened.factor.label,
      method: opened.factor.method,
      isLast: primaries.length === 1 && primaries[0]?.id === id,
      backHref: home,
    });
  });
  pages.form('/account/factors/:id/remove', {}, async (ctx, _form, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'remove');
    if (!opened) return;
    if ((await engine.remove(opened.visitor.account, id, originOf(ctx))) === 'not_found') {
      throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    }
    seeOther(ctx, `${home}?done=removed`);
  });
}
