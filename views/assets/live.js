// Parts of a page that change by themselves. What carries `data-live` (seconds) is asked for again at the page's own address and
// replaced where `data-state` differs; the rest of the page, and what is typed there, stays. Where `data-events` says where to
// listen, and `data-since` what was seen, it is asked for as soon as something has changed, or when this page is looked at again;
// otherwise once, when `data-live-for` is over. `data-submit` names the form that is sent by itself: there is nothing left to do
// but to go on; `data-answered` the one that is sent when what is heard says so. Where nothing is typed (`data-whole`) any other
// state is a page of its own, with its title.
import { dress } from './page.js';

/** Unless `data-live-for` says otherwise. */
const LONGEST_SECONDS = 90;

const visible = () =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener('visibilitychange', resolve, { once: true });
  });

const pauseFor = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Resolves when something has changed, or might have, with what was said of it; never sooner than it can be listened to. */
const change = ({ dataset: { live, liveFor = LONGEST_SECONDS, events, since } }) => {
  if (!events) return pauseFor(live).then(visible);
  return new Promise((resolve) => {
    const source = new EventSource(`${events}?since=${since}`);
    const heard = (event) => {
      source.close();
      removeEventListener('pagehide', heard);
      document.removeEventListener('visibilitychange', seen);
      resolve(event?.data);
    };
    const seen = () => document.hidden || heard();
    source.addEventListener('changed', heard);
    document.addEventListener('visibilitychange', seen);
    pauseFor(liveFor).then(heard);
    // Not allowed to listen: asked for as often as without.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) pauseFor(live).then(heard);
    });
    addEventListener('pagehide', heard, { once: true });
  });
};

const send = (form) => form && document.getElementById(form).requestSubmit();

const follow = (part, fresh) => {
  if (!fresh) return part.removeAttribute('data-live');
  if ('whole' in part.dataset && fresh.dataset.state !== part.dataset.state && !fresh.dataset.submit) {
    part.removeAttribute('data-live');
    return location.replace(location.href);
  }
  // The part itself stays in the page: a live region that is put in anew is not read out.
  if (fresh.dataset.state !== part.dataset.state) {
    part.className = fresh.className;
    part.replaceChildren(...fresh.childNodes);
    dress(part);
  }
  for (const name of ['state', 'live', 'liveFor', 'events', 'since', 'submit', 'answered']) {
    if (fresh.dataset[name]) part.dataset[name] = fresh.dataset[name];
    else delete part.dataset[name];
  }
  send(part.dataset.submit);
};

const watch = async (id) => {
  const part = document.getElementById(id);
  let left = Number(part.dataset.liveFor ?? LONGEST_SECONDS);
  while (part.dataset.live && left > 0) {
    if (!part.dataset.events) left -= Number(part.dataset.live);
    if ((await change(part)) === 'answered' && part.dataset.answered) return send(part.dataset.answered);
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' });
      if (!answer.ok) {
        await pauseFor(part.dataset.live);
        continue;
      }
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      follow(part, page.getElementById(id));
    } catch {
      // Away for a moment: asked again like the rest.
      await pauseFor(part.dataset.live);
    }
  }
};

for (const { id } of document.querySelectorAll('[data-live]')) watch(id);
for (const part of document.querySelectorAll('[data-submit]')) send(part.dataset.submit);
