/** A stand-in of Twilio on this machine: takes text messages over its REST API, and tells what became of them. */
export type { Behaviour } from './behaviour.js';
export type { KeptMessage } from './message.js';
export { sign } from './signature.js';
export { startTwilio, type TwilioOptions, type TwilioStandIn } from './stand-in.js';
