import { join } from 'node:path';
import type { Context } from 'koa';
import pug, { type compileTemplate } from 'pug';
import { projectRoot } from '../../platform/paths.js';

const VIEWS = join(projectRoot, 'src/demo/views');

export type ShowPage = (
  ctx: Context,
  view: string,
  locals?: Readonly<Record<string, unknown>>,
  status?: number,
) => void;

/** Renders `views/<view>.pug`; `shared` are locals of every page. */
export function createPages(shared: Readonly<Record<string, unknown>>): ShowPage {
  const templates = new Map<string, compileTemplate>();
  return (ctx, view, locals = {}, status = 200) => {
    let template = templates.get(view);
    if (!template) {
      template = pug.compileFile(join(VIEWS, `${view}.pug`), { basedir: VIEWS, compileDebug: false });
      templates.set(view, template);
    }
    ctx.status = status;
    ctx.type = 'html';
    ctx.body = template({ ...shared, ...locals });
  };
}

/** 303, so that a reload after a form never sends it again. */
export function seeOther(ctx: Context, to: string): void {
  ctx.redirect(to);
  ctx.status = 303;
}
