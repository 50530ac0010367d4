/** The app on the phone: opens what it keeps, shows what it was asked for, and listens to the server while it is seen. */
import { type AccountStore, openAccountStore } from './account-store.js';
import { issuerOf, readAddress } from './addresses.js';
import { App, type View } from './app.js';
import { brandOf } from './brand.js';
import { Phone } from './phone.js';
import { canKeepKeys, mustInstallFirst } from './platform.js';
import { pushWish, subscribe } from './push.js';
import { linkView } from './screens/add.js';
import { homeView } from './screens/home.js';
import { installView, unfitView } from './screens/install.js';
import { wordsFor } from './words.js';

/** Where the server cannot be heard; while somebody waits for the digits a little more often. */
const LOOK_EVERY_MS = 3_000;
const LOOK_PAIRING_MS = 2_000;
/** Without a connection: seldom enough to leave the battery alone. */
const LOOK_OFFLINE_MS = 5_000;

const folder = new URL('.', import.meta.url).href;
const issuer = issuerOf(import.meta.url);

/** Keeps nothing: for screens that only explain. */
const NO_STORE: AccountStore = {
  all: async () => [],
  put: async () => undefined,
  remove: async () => undefined,
  clockOffset: async () => undefined,
  keepClockOffset: async () => undefined,
  language: async () => undefined,
  keepLanguage: async () => undefined,
};

/** Listens while somebody sees the app; one look at a time where it is not heard. */
function keepLooking(phone: Phone): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLooking = false;
  const isSeen = (): boolean => document.visibilityState === 'visible';
  const round = async (work: () => Promise<void>): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    clearTimeout(timer);
    await work().finally(() => {
      isLooking = false;
      if (!isSeen()) return;
      // An account may be new, or not trusted any more.
      phone.listen();
      const pauseMs = phone.isOffline ? LOOK_OFFLINE_MS : phone.isPairing ? LOOK_PAIRING_MS : LOOK_EVERY_MS;
      timer = setTimeout(() => round(() => phone.look()), pauseMs);
    });
  };
  const open = (): Promise<void> =>
    round(async () => {
      phone.listen();
      await phone.refresh();
      await phone.look();
      if (pushWish() === 'on') await phone.wakeBy(subscribe);
    });
  document.addEventListener('visibilitychange', () => (isSeen() ? open() : phone.rest()));
  addEventListener('online', open);
  addEventListener('offline', () => {
    // Lines may stay open, and say nothing.
    phone.rest();
    round(() => phone.look());
  });
  navigator.serviceWorker?.addEventListener('message', () => round(() => phone.look()));
  open();
}

/** A new build takes over where nothing is half done. */
function keepCurrent(app: App): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const hadOne = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (hadOne && app.isHome) location.reload();
  });
  // The folder's own address without the slash is the app's too.
  const { pathname } = new URL(folder);
  serviceWorker
    .register(new URL('service-worker.js', folder), { scope: pathname.replace(/\/$/, ''), updateViaCache: 'none' })
    // Without it the app works, with a network.
    .catch(() => undefined);
}

async function start(): Promise<void> {
  const asked = readAddress(location.href, issuer);
  const brand = brandOf(document);
  let app: App | undefined;
  const open = (store: AccountStore): Promise<Phone> =>
    Phone.open({
      issuer,
      store,
      fetch: (...request) => fetch(...request),
      now: () => Date.now(),
      onChange: () => app?.changed(),
    });

  const explain = async (view: View): Promise<App> => {
    const shown = new App(await open(NO_STORE), brand, await wordsFor(navigator.languages), view, folder);
    shown.home();
    return shown;
  };

  if (mustInstallFirst()) {
    app = await explain(installView(asked?.what === 'pair'));
    return keepCurrent(app);
  }
  const store = canKeepKeys() ? await openAccountStore().catch(() => undefined) : undefined;
  if (!store) {
    await explain(unfitView);
    return;
  }
  const chosen = await store.language();
  const words = await wordsFor([...(chosen ? [chosen] : []), ...navigator.languages]);
  const phone = await open(store);
  app = new App(phone, brand, words, homeView, folder);
  if (asked?.what === 'confirm') app.scannedNumber = asked.number;
  app.home();
  if (asked?.what === 'pair') app.show(linkView(asked.code));
  keepLooking(phone);
  keepCurrent(app);
}

start();
