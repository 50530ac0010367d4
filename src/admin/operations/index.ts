/** What administrators and operators do: the management API and the command line are two ways to the same. */
import type { Audit } from '../../audit/contract.js';
import type { Announcer } from '../../notifications/index.js';
import { type AccountOperations, type AccountOperationsDeps, createAccountOperations } from './accounts.js';
import { type ClientOperations, type ClientOperationsDeps, createClientOperations } from './clients.js';
import { createTell, type Tell } from './telling.js';

export { actorOf, reachable } from './accounts.js';
export { type ChangeableClients, type ClientMetadata, hasSecret, type RegisteredClient } from './clients.js';
export { type AccountClosing, createCarryOut, keepIn } from './closing.js';
export { createImports } from './importing.js';
export type { Tell } from './telling.js';

export interface Operations {
  accounts: AccountOperations;
  clients: ClientOperations;
  /** For what is particular to one way. */
  tell: Tell;
}

export function createOperations(
  deps: AccountOperationsDeps & ClientOperationsDeps & { audit: Audit; announcer: Announcer },
): Operations {
  const tell = createTell(deps);
  return {
    accounts: createAccountOperations({ ...deps, tell }),
    clients: createClientOperations({ ...deps, tell }),
    tell,
  };
}
