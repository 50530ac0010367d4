// Copy, download and print for what is shown once.

const lines = (button) => {
  const source = document.getElementById(button.dataset.from);
  const items = source.querySelectorAll('li');
  return items.length ? [...items].map((item) => item.textContent.trim()) : [source.textContent.replace(/\s+/g, '')];
};

const say = (button) => {
  const label = button.querySelector('span');
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => {
    label.textContent = before;
  }, 2500);
};

const actions = {
  async copy(button) {
    await navigator.clipboard.writeText(lines(button).join('\n'));
    say(button);
  },
  download(button) {
    const text = `${button.dataset.heading}\n\n${lines(button).join('\n')}\n`;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
  print() {
    print();
  },
};

for (const button of document.querySelectorAll('[data-do]')) {
  // Pages without TLS have no clipboard.
  if (button.dataset.do === 'copy' && !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', () => actions[button.dataset.do](button));
}
for (const bar of document.querySelectorAll('.bar[hidden]')) bar.hidden = false;
