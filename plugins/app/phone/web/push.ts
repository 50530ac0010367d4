/** The browser's side of Web Push: one subscription of this app, for all accounts in it. */

export type PushWish = 'on' | 'off' | 'askable' | 'impossible';

/** Whether this phone may notify. `askable`: the person has not been asked yet; `off`: they said no. */
export function pushWish(): PushWish {
  if (!('Notification' in globalThis && 'PushManager' in globalThis && 'serviceWorker' in navigator))
    return 'impossible';
  const { permission } = Notification;
  return permission === 'granted' ? 'on' : permission === 'denied' ? 'off' : 'askable';
}

/** Asks the person, who has just pressed a button: browsers ask at no other time. */
export const askForPush = async (): Promise<boolean> => (await Notification.requestPermission()) === 'granted';

const isFor = (subscription: PushSubscription, publicKey: string): boolean => {
  const known = subscription.options.applicationServerKey;
  if (!known) return false;
  const text = btoa(String.fromCharCode(...new Uint8Array(known)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') === publicKey;
};

/**
 * Where to wake this app; undefined when the browser or its push service does not want to.
 * @param publicKey of the server, base64url
 * @param isAnew the last subscription is over
 */
export async function subscribe(publicKey: string, isAnew: boolean): Promise<PushSubscriptionJSON | undefined> {
  try {
    const { pushManager } = await navigator.serviceWorker.ready;
    const before = await pushManager.getSubscription();
    if (before && (isAnew || !isFor(before, publicKey))) await before.unsubscribe();
    return (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })).toJSON();
  } catch {
    return undefined;
  }
}
