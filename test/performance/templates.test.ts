import { expect, test } from '@jest/globals';
import type { compileTemplate } from 'pug';
import { loadAssets } from '../../src/http/assets.js';
import { createCatalogue } from '../../src/http/i18n.js';
import { createRenderer } from '../../src/http/render.js';
import { compileToModule } from '../../src/http/templates.js';
import { NOW, SAMPLES } from '../views/samples.js';

const shared = {
  catalogue: createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en' }),
  branding: { name: 'Countersign', links: [] },
  assets: loadAssets(),
  clock: { now: () => NOW },
};
const page = { locale: 'de', path: '/some/page', csrf: 'csrf', nonce: 'nonce', requestId: 'request' };

test('a page compiled by the build says what its pug file says', () => {
  const fromSource = createRenderer(shared);
  const built = createRenderer({
    ...shared,
    load(path) {
      const module: { exports?: compileTemplate } = {};
      new Function('module', compileToModule(path))(module);
      if (!module.exports) throw new Error(`${path} exports nothing`);
      return module.exports;
    },
  });
  for (const [name, locals] of Object.entries(SAMPLES)) {
    const view = name.split('#')[0] ?? '';
    expect(built.render(view, page, locals)).toBe(fromSource.render(view, page, locals));
  }
});
