// Makes every page a little nicer; none needs it.

// A page from the back-forward cache shows a step that may be over: ask the server again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

document.getElementById('problem')?.focus();

// A second press while the first is on its way does nothing.
for (const form of document.querySelectorAll('form[method=post]')) {
  let isSent = false;
  form.addEventListener('submit', (event) => {
    if (isSent) {
      event.preventDefault();
      return;
    }
    isSent = true;
    const button = event.submitter;
    button?.setAttribute('aria-disabled', 'true');
    // The button's own name and value are read after this handler: its words may change only then.
    if (button?.dataset.busy) setTimeout(() => button.replaceChildren(button.dataset.busy));
  });
}

for (const button of document.querySelectorAll('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  const show = { text: button.textContent, label: button.ariaLabel };
  const hide = { text: button.dataset.hide, label: button.dataset.hideLabel };
  button.hidden = false;
  button.addEventListener('click', () => {
    const isShown = input.type === 'password';
    input.type = isShown ? 'text' : 'password';
    button.textContent = (isShown ? hide : show).text;
    button.ariaLabel = (isShown ? hide : show).label;
  });
  // Browsers remember what was typed into text fields.
  input.form?.addEventListener('submit', () => {
    input.type = 'password';
  });
}

// Times in the reader's own zone.
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** What is new in the page is made as nice as the rest. */
export const dress = (part) => {
  for (const time of part.querySelectorAll('time[datetime]')) time.textContent = clock.format(new Date(time.dateTime));
  for (const wait of part.querySelectorAll('[data-countdown]')) countDown(wait);
};

// "You can try again in 45 seconds" counts down; the last second says that the wait is over. A button that has to wait with it does.
function countDown(wait) {
  const end = Date.now() + wait.dataset.countdown * 1000;
  const button = document.getElementById(wait.dataset.holds);
  if (button) button.disabled = true;
  const left = document.createElement('span');
  left.setAttribute('aria-hidden', 'true');
  wait.after(left);
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 0) {
      const clockwise = [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, '0'));
      left.textContent = ` (${clockwise.join(':')})`;
      return;
    }
    clearInterval(timer);
    left.remove();
    if (button) button.disabled = false;
    wait.textContent = wait.dataset.again;
  };
  const timer = setInterval(tick, 1000);
  tick();
}

dress(document);
