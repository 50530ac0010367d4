// Keeps the queue up to date, and ages counting. Every page of the console works without it.

const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'always' });
const inWords = (seconds) => {
  if (seconds < 100) return words.format(-Math.round(seconds), 'second');
  if (seconds < 5400) return words.format(-Math.round(seconds / 60), 'minute');
  return words.format(-Math.round(seconds / 3600), 'hour');
};
const loadedAt = Date.now();
const age = (root, since) => {
  for (const element of root.querySelectorAll('[data-ago]')) {
    const start = since - Number(element.dataset.ago) * 1000;
    element.removeAttribute('data-ago');
    element.dataset.start = start;
  }
};
const count = () => {
  for (const element of document.querySelectorAll('[data-start]'))
    element.textContent = inWords(Math.max(1, (Date.now() - Number(element.dataset.start)) / 1000));
};
age(document, loadedAt);
count();
setInterval(count, 5000);

const live = document.getElementById('live');

/** The page as it is now, asked for like any other; what has the focus keeps it. */
const refresh = async () => {
  const answer = await fetch(location.href, { headers: { accept: 'text/html', 'x-live': '1' }, cache: 'no-store' });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = page.getElementById('live');
  // Somewhere else: the sign-in is over, or something is wrong. The page itself says what.
  if (!answer.ok || !next) return location.reload();
  const focused = document.activeElement?.getAttribute('href');
  const said = document.getElementById('announce').textContent;
  age(next, Date.now());
  const fresh = next.querySelector('#announce').textContent;
  next.querySelector('#announce').remove();
  const announce = document.getElementById('announce');
  live.replaceChildren(announce, ...next.childNodes);
  if (said !== fresh) announce.textContent = fresh;
  document.title = page.title;
  count();
  if (focused) live.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
};

if (live?.dataset.events) {
  let isRunning = false;
  let isAgain = false;
  const update = async () => {
    isAgain = isRunning;
    if (isRunning) return;
    isRunning = true;
    try {
      await refresh();
    } catch {
      // Away for a moment: the stream comes back, and asks again.
    }
    isRunning = false;
    if (isAgain) update();
  };
  const listen = () => {
    const source = new EventSource(live.dataset.events);
    let isFirst = true;
    // Whatever happened between the page and the stream, or while it was away.
    source.addEventListener('open', () => {
      if (!isFirst || Date.now() - loadedAt > 2000) update();
      isFirst = false;
    });
    source.addEventListener('changed', update);
    // The browser takes up again by itself what has only ended, not what was refused.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => update().then(listen), 15000);
    });
    addEventListener('pagehide', () => source.close(), { once: true });
  };
  listen();
}
