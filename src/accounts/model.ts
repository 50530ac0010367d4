import { type Connection, type Model, Schema } from 'mongoose';
import type { Account, Standing } from './contract.js';

/** A password as stored. */
export interface StoredPassword {
  /** PHC string. */
  hash: string;
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
}

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
      { hash: { type: String, required: true }, changedAt: { type: Date, required: true }, compromised: Boolean },
      part,
    ),
    standing,
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'accounts', versionKey: false, autoIndex: false, autoCreate: false },
);
schema.index({ login: 1 }, { unique: true });
schema.index({ roles: 1 }, { name: 'by_role', partialFilterExpression: { roles: { $exists: true } } });

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
