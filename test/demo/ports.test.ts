import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { requireFreePort } from '../../src/demo/ports.js';

test('a port in use is named, with what to do', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(requireFreePort(port, 'the demonstration')).rejects.toThrow(
    new RegExp(`Port ${port} \\(the demonstration\\) is in use.*Ctrl-C`),
  );
  await new Promise<void>((resolve) => other.close(() => resolve()));
  await expect(requireFreePort(port, 'the demonstration')).resolves.toBeUndefined();
});
