/** Somebody to sign in as. The passwords are public: the demonstration listens on this machine only. */
export interface DemoAccount {
  login: string;
  name: string;
  email: string;
  groups: string[];
  /** Absent: invited, chooses one with the link in the mail. */
  password?: string;
  /** When a second factor becomes a must: at once, in some days, or never. */
  setUp: { withinDays: number } | 'optional';
  /** What signing in as this person shows. */
  shows: string;
}

export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  {
    login: 'anna@example.com',
    name: 'Anna Alvarez',
    email: 'anna@example.com',
    groups: ['staff'],
    password: 'harbour-lantern-42',
    setUp: { withinDays: 0 },
    shows:
      'Must use a second step. The first sign-in leads her through setting it up; every later one asks for a code.',
  },
  {
    login: 'ben@example.com',
    name: 'Ben Okafor',
    email: 'ben@example.com',
    groups: ['staff'],
    password: 'copper-meadow-17',
    setUp: { withinDays: 7 },
    shows:
      'Has a week left to set the second step up. Until then he may say "Later" once a day; the tokens say that he used a password only.',
  },
  {
    login: 'cleo@example.com',
    name: 'Cleo Martin',
    email: 'cleo@example.com',
    groups: [],
    password: 'violet-anchor-88',
    setUp: 'optional',
    shows:
      'Needs no second step to sign in. Booking time needs one: the application asks for more, and she is led to set it up at that moment.',
  },
  {
    login: 'dora@example.com',
    name: 'Dora Lindqvist',
    email: 'dora@example.com',
    groups: ['staff'],
    setUp: { withinDays: 0 },
    shows: 'Invited today and without a password so far. Her invitation waits in the outbox.',
  },
];
