import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** The accounts that were there before. Any store will do, as long as an id stays what it is. */
const PEOPLE = [
  { id: '4711', login: 'greta', name: 'Greta Holm', email: 'greta@example.com', password: 'lantern-orbit-52' },
  { id: '4712', login: 'hugo', name: 'Hugo Brandt', email: 'hugo@example.com', password: 'pepper-canal-18' },
];

const derive = promisify(scrypt);
const stored = new Map(
  await Promise.all(
    PEOPLE.map(async ({ password, ...person }) => [
      person.login,
      { person: { ...person, groups: [], active: true }, hash: await derive(password, person.id, 32) },
    ]),
  ),
);

export const findPerson = (id) => [...stored.values()].find(({ person }) => person.id === id)?.person;

/** A host slows repeated guesses down here: passwords are its own affair. */
export async function personWith(login, password) {
  const entry = stored.get(login);
  const hash = await derive(password, entry?.person.id ?? 'nobody', 32);
  return entry && timingSafeEqual(hash, entry.hash) ? entry.person : undefined;
}
