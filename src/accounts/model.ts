import { type Connection, type Model, Schema } from 'mongoose';
import type { Level } from '../policy/levels.js';
import type { Account, AccountsAlongside, Standing } from './contract.js';

/** A password as stored. */
export interface StoredPassword {
  /** PHC string, or in the form of the system it was imported from. */
  hash: string;
  /** Came with an import, and was not made anew yet. */
  isImported?: boolean;
  changedAt: Date;
  /** Known to others: the next sign-in asks for a new one. */
  compromised?: boolean;
}

/** A document of `accounts`; private to this folder. */
export interface AccountDocument extends Omit<Account, 'id' | 'standing'> {
  _id: string;
  password?: StoredPassword;
  standing?: Standing;
  createdAt: Date;
  updatedAt: Date;
  /** Counts the changes of everything but the standing. */
  version?: number;
  /** What it is found by, see `search-words.ts`. */
  searchWords?: string[];
  /** Active factors as they are now; see `coverage.ts`. */
  coverage?: Coverage;
  /** Counts what `coverage` was derived from. */
  coverageRevision?: number;
  /** Nothing of the person is left in it. */
  deletedAt?: Date;
  /** Where an imported account came from, and what it is called there. */
  source?: { name: string; id?: string };
}

/** What an account can prove, derived from its active factors so that lists and reports go along an index. */
export interface Coverage {
  /** It has a factor that is enough by itself. */
  covered: boolean;
  /** The highest level its factors reach. */
  level: Level;
  methods: string[];
}

export const ACCOUNTS_COLLECTION = 'accounts';

const part = { _id: false } as const;

const standing = new Schema<Standing>(
  {
    sessionsNotBefore: Date,
    keptSession: new Schema({ uid: String, notBefore: Date }, part),
    revokedSessions: { type: [new Schema({ uid: String, at: Date }, part)], default: undefined },
    suspension: { type: Schema.Types.Mixed, default: undefined },
    pastSuspensions: { type: [new Schema({ from: Date, until: Date }, part)], default: undefined },
    requestedAt: Date,
    setUp: new Schema({ required: Boolean, deadline: Date, laterOn: String }, part),
    firstEnrolment: new Schema({ browserHash: String, expiresAt: Date, isDespiteFactors: Boolean }, part),
  },
  part,
);

const schema = new Schema<AccountDocument>(
  {
    _id: { type: String, required: true },
    login: { type: String, required: true },
    name: { type: String, required: true },
    email: String,
    groups: { type: [String], default: [] },
    active: { type: Boolean, required: true },
    roles: { type: [String], default: undefined },
    locale: String,
    claims: { type: Schema.Types.Mixed, default: undefined },
    password: new Schema<StoredPassword>(
      {
        hash: { type: String, required: true },
        isImported: Boolean,
        changedAt: { type: Date, required: true },
        compromised: Boolean,
      },
      part,
    ),
    standing,
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    version: Number,
    searchWords: { type: [String], default: undefined },
    coverage: new Schema<Coverage>({ covered: Boolean, level: String, methods: [String] }, part),
    coverageRevision: Number,
    deletedAt: Date,
    source: new Schema({ name: String, id: String }, part),
  },
  { collection: ACCOUNTS_COLLECTION, versionKey: false, autoIndex: false, autoCreate: false },
);

export const accountModel = (connection: Connection): Model<AccountDocument> =>
  (connection.models.Account as Model<AccountDocument> | undefined) ?? connection.model('Account', schema);

/** What leaves the folder: without the password, and with a standing, so that nobody reads it a second time. */
export const toAccount = ({
  _id,
  login,
  name,
  email,
  groups,
  active,
  roles,
  locale,
  claims,
  standing,
}: AccountDocument): Account => ({
  id: _id,
  login,
  name,
  groups,
  active,
  standing: standing ?? {},
  ...(roles?.length ? { roles } : {}),
  ...(email === undefined ? {} : { email }),
  ...(locale === undefined ? {} : { locale }),
  ...(claims === undefined ? {} : { claims }),
});

export const ACCOUNTS_ALONGSIDE: AccountsAlongside = {
  collection: ACCOUNTS_COLLECTION,
  toAccount: (stored) => toAccount(stored as AccountDocument),
};
