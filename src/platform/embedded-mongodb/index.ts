/** Finds a MongoDB to work with: the operator's server, or a mongod of our own that keeps its data in a folder. */

export { type FindOptions, findMongod } from './find-mongod.js';
export type { Mongod } from './mongod.js';
export { type OpenMongo, type OpenMongoOptions, openMongo } from './open-mongo.js';
export { runningMongo } from './running-copy.js';
