import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import type { compileTemplate } from 'pug';
import { loadAssets } from '../../src/http/assets.js';
import { createCatalogue } from '../../src/http/i18n.js';
import { createRenderer } from '../../src/http/render.js';
import { compiledPath, compileTemplateHere } from '../../src/http/templates.js';
import { NOW, SAMPLES } from '../views/samples.js';

const require = createRequire(import.meta.url);
const shared = {
  catalogue: createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en' }),
  branding: { name: 'Countersign', links: [] },
  assets: loadAssets(),
  clock: { now: () => NOW },
};
const page = { locale: 'de', path: '/some/page', csrf: 'csrf', nonce: 'nonce', requestId: 'request' };

test('a page compiled by the build says what its pug file says', () => {
  const fromSource = createRenderer({ ...shared, load: compileTemplateHere });
  const built = createRenderer({
    ...shared,
    load: (path) => require(compiledPath(path)) as compileTemplate,
  });
  // One page of each folder: compiling every one a second time takes ten seconds.
  const folders = new Map(Object.entries(SAMPLES).map((sample) => [sample[0].split('/')[0], sample]));
  for (const [name, locals] of folders.values()) {
    const view = name.split('#')[0] ?? '';
    expect(built.render(view, page, locals)).toBe(fromSource.render(view, page, locals));
  }
});
