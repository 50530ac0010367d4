import { personWith } from './people.js';

const page = (problem = '') => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<h1>Sign in</h1>${problem && `<p role="alert">${problem}</p>`}
<form method="post">
<p><label>Name <input name="login" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p>
</form></html>`;

async function readForm(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 10_000) throw Object.assign(new Error('too long'), { status: 413, expose: true });
  }
  return new URLSearchParams(body);
}

/**
 * The login page that was there before.
 * @param {(ctx: object, accountId: string) => Promise<void>} finish what happens once the password was right.
 */
export const loginPage = (provider, finish) => async (ctx, next) => {
  if (!ctx.path.startsWith('/login/')) return next();
  // Whose interaction it is says its cookie; throws where there is none.
  await provider.interactionDetails(ctx.req, ctx.res);
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Security-Policy', "default-src 'none'; form-action 'self' http: https:; frame-ancestors 'none'");
  ctx.type = 'html';
  if (ctx.method !== 'POST') {
    ctx.body = page();
    return;
  }
  const form = await readForm(ctx.req);
  const person = await personWith(form.get('login') ?? '', form.get('password') ?? '');
  if (person) await finish(ctx, person.id);
  else ctx.body = page('That name and password do not go together.');
};
