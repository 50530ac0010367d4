/** Keeps the app for times without a network, and wakes the person when a sign-in waits. */
import { openAccountStore } from '../web/account-store.js';
import { noticeIn } from '../web/sentences/notice.js';

/** `dressed` stands in front when it is served: changes with the brand, which has files of its own. */
declare const self: ServiceWorkerGlobalScope & { dressed: { version: string; files: readonly string[] } };
/** Set by the build: changes with any file. */
declare const BUILD_VERSION: string;
/** Set by the build: every file that the app needs, besides its page. */
declare const BUILD_FILES: readonly string[];

const PREFIX = 'countersign-app-';
const { version, files } = self.dressed;
const CACHE = `${PREFIX}${BUILD_VERSION}-${version}`;
const folder = new URL('./', self.location.href);
const page = folder.href;

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache: a file of an older build must not get in.
  await cache.addAll(
    [page, ...BUILD_FILES, ...files].map((name) => new Request(new URL(name, folder), { cache: 'reload' })),
  );
  await self.skipWaiting();
}

async function tidy(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  if (request.mode !== 'navigate') return (await cache.match(request)) ?? fetch(request);
  // Its addresses are relative to the folder.
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith(folder.pathname)) return Response.redirect(page, 302);
  return (await cache.match(page)) ?? fetch(request);
}

async function openApp(): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window' });
  const open = windows.find(({ url }) => url.startsWith(page));
  if (open) await open.focus();
  else await self.clients.openWindow(page);
}

async function wake(): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window' });
  for (const client of windows) client.postMessage('look');
  const chosen = await openAccountStore()
    .then((store) => store.language())
    .catch(() => undefined);
  const { title, body } = noticeIn(chosen ?? self.navigator.language);
  // The same tag: ten messages are one notice.
  await self.registration.showNotification(title, { body, tag: 'sign-in', icon: new URL('icon-192.png', folder).href });
}

self.addEventListener('install', (event) => event.waitUntil(keep()));
self.addEventListener('activate', (event) => event.waitUntil(tidy()));
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  const isOurs =
    origin === folder.origin && (pathname.startsWith(folder.pathname) || `${pathname}/` === folder.pathname);
  if (method === 'GET' && isOurs) event.respondWith(answer(event.request));
});
// Whatever a push message says, this is what is shown.
self.addEventListener('push', (event) => event.waitUntil(wake()));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openApp());
});
