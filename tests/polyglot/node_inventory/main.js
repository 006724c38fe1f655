/**
 * The inventory of the shop in another language: a process that takes the place of the Python
 * service and shares no code with it. All it knows are the contracts under `protos/`.
 *
 * A call arrives as bytes. `contract.js` turns them into an object, by the contract's own files;
 * `inventory.js` answers other services, `inventory-api.js` clients and `inventory-desk-api.js` the
 * shop's people, all from the `Catalogue` and the `Reservations` in memory. A refusal is thrown as a `ContractError` and
 * travels as `google.rpc.Status`. Since every answer is computed in one go, no call ever sees
 * another half done, and there is nothing to lock. What must outlive the process is the journal
 * of what has changed the stock.
 */

import { parseArgs } from "node:util";

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

import { readCatalogue } from "./catalogue.js";
import { Contract } from "./contract.js";
import { inventoryApi } from "./inventory-api.js";
import { inventoryDeskApi } from "./inventory-desk-api.js";
import { inventory } from "./inventory.js";
import { openJournal } from "./journal.js";
import { Reservations } from "./reservations.js";

const CONTRACT = ["inventory/v1/api.proto", "inventory/v1/messagebus.proto"];

const USAGE = `
usage: node main.js --listen HOST:PORT --protos DIRECTORY [--protos DIRECTORY ...]
                    --catalogue FILE --journal FILE

  --listen     where to answer; port 0 lets the system choose
  --protos     where contracts are found, and the Google files that they import
  --catalogue  items of the shop, as CSV
  --journal    where reservations are kept; made if it is not there
`;

/** Milliseconds that calls under way have when the process is asked to end. */
const GRACE = 5000;

function settings() {
  const text = { type: "string" };
  const { values } = parseArgs({
    options: { listen: text, protos: { ...text, multiple: true }, catalogue: text, journal: text },
  });
  const missing = ["listen", "protos", "catalogue", "journal"].filter((name) => !values[name]);
  if (missing.length > 0) throw new TypeError(`--${missing[0]} is missing`);
  return values;
}

function serve({ listen, protos, catalogue: file, journal: journalFile }) {
  const contract = new Contract(protos, CONTRACT);
  const catalogue = readCatalogue(file);
  const reservations = new Reservations(catalogue, openJournal(journalFile));

  const services = {
    "inventory.v1.InventoryApi": inventoryApi(catalogue),
    "inventory.v1.InventoryDeskApi": inventoryDeskApi(catalogue, reservations),
    "inventory.v1.Inventory": inventory(catalogue, reservations),
  };
  const server = new Server();
  for (const name in services) contract.implement(server, name, services[name]);

  // The empty name is the process as a whole.
  const names = ["", ...Object.keys(services)];
  const health = new HealthImplementation();
  const tell = (state) => names.forEach((name) => health.setStatus(name, state));
  health.addToServer(server);
  tell("SERVING");

  const end = () => {
    tell("NOT_SERVING");
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(0), GRACE).unref();
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, end);

  server.bindAsync(listen, ServerCredentials.createInsecure(), (error, port) => {
    if (error) return fail(`--listen ${listen}: ${error.message}`);
    console.log(`listening on grpc://${listen.slice(0, listen.lastIndexOf(":"))}:${port}`);
  });
}

function fail(reason) {
  console.error(`node-inventory: ${reason}`);
  process.exit(2);
}

let chosen;
try {
  chosen = settings();
} catch (error) {
  fail(`${error.message}\n${USAGE}`);
}
try {
  serve(chosen);
} catch (error) {
  fail(error.message);
}
