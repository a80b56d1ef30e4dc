// Starts a server, says its URL and folder, and waits to be ended.
import { startPostgres } from './postgres-server';

void startPostgres().then(({ url, folder }) => process.send?.({ url, folder }));
