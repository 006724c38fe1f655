/**
 * The contract as this process reads it: services to implement, and errors with the codes and the
 * words that the contract gives them.
 *
 * Sources: https://grpc.io/docs/guides/error/#richer-error-model, protos/contract/v1/options.proto.
 */

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";

import { Metadata, status as codes } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import protobuf from "protobufjs";

import { NotAllowed, checkRoles } from "./access.js";

const ERROR_OPTION = "(contract.v1.error)";
const METHOD_OPTION = "(contract.v1.method)";
const STATUS = "google.rpc.Status";
const BAD_REQUEST = "google.rpc.BadRequest";
const FILES_OF_ERRORS = ["google/rpc/status.proto", "google/rpc/error_details.proto"];

/** Field names as the contract writes them; absent fields have their defaults. */
const SHAPE = { keepCase: true, longs: Number, defaults: true, arrays: true };

/** A typed error of the contract: the answer of a handler that refuses. */
export class ContractError extends Error {
  /**
   * @param {string} name full name of the error message, such as `inventory.v1.OutOfStock`
   * @param {object} record its fields
   */
  constructor(name, record) {
    super(name);
    this.name = name;
    this.record = record;
  }
}

/** A field that breaks a rule of the contract: the answer of a handler that checks them. */
export class RefusedField extends Error {
  /**
   * @param {string} field where it stands, by names of JSON, such as `lines[2].quantity`
   * @param {string} reason what was expected
   */
  constructor(field, reason) {
    super(`${field}: ${reason}`);
    this.field = field;
    this.reason = reason;
  }
}

/** The contract files of one service, loaded. */
export class Contract {
  /**
   * @param {string[]} directories where files and what they import are looked for, in this order
   * @param {string[]} files names of the contract's files, below one of the directories
   */
  constructor(directories, files) {
    this.types = new protobuf.Root();
    this.types.resolvePath = (importer, name) => {
      const places = directories.map((directory) => path.join(directory, name));
      const found = places.find((place) => existsSync(place));
      if (found) return found;
      throw new Error(`${name}, needed by ${importer || "this service"}, is in no --protos`);
    };
    this.types.loadSync([...files, ...FILES_OF_ERRORS], SHAPE).resolveAll();
    this.definitions = fromJSON(this.types.toJSON(), SHAPE);
  }

  /**
   * Lets a server answer a service of the contract.
   *
   * @param {import("@grpc/grpc-js").Server} server
   * @param {string} name full name of the service
   * @param {Record<string, (request: object) => object>} handlers by the name of their method;
   *   they refuse by throwing a `ContractError` or a `RefusedField`
   */
  implement(server, name, handlers) {
    const answer = (method, handler) => (call, callback) => {
      let response;
      try {
        checkRoles(`${name}/${method}`, this.#roles(name, method), call.metadata);
        response = handler(call.request);
      } catch (error) {
        if (error instanceof ContractError) callback(this.#refusal(error));
        else if (error instanceof NotAllowed)
          callback({ code: error.code, details: error.message });
        else if (error instanceof RefusedField) callback(this.#badRequest(error));
        else callback(unexpected(name, error));
        return;
      }
      callback(null, response);
    };
    const answers = Object.entries(handlers).map(([method, handler]) => [
      method,
      answer(method, handler),
    ]);
    server.addService(this.definitions[name], Object.fromEntries(answers));
  }

  /** The roles of which a method asks for one. */
  #roles(service, method) {
    const { parsedOptions } = this.types.lookupService(service).methods[method];
    const { access } = Object.assign({}, ...parsedOptions)[METHOD_OPTION];
    return [access.roles ?? []].flat();
  }

  /** The status of an error, with its record in the details. */
  #refusal({ name, record }) {
    const options = Object.assign({}, ...this.types.lookupType(name).parsedOptions);
    const { code, text } = options[ERROR_OPTION];
    const message = text.replace(/\{(\w+)\}/g, (_, field) => record[field]);
    return this.#status(codes[code], message, name, record);
  }

  /** The status of a field that is refused. */
  #badRequest({ message, field, reason }) {
    const record = { field_violations: [{ field, description: reason }] };
    return this.#status(codes.INVALID_ARGUMENT, message, BAD_REQUEST, record);
  }

  #status(code, message, name, record) {
    const detail = {
      type_url: `type.googleapis.com/${name}`,
      value: this.definitions[name].serialize(record),
    };
    const status = { code, message, details: [detail] };
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", this.definitions[STATUS].serialize(status));
    return { code: status.code, details: message, metadata };
  }
}

/** What nobody foresaw stays in the log; the caller is told where to look for it. */
function unexpected(service, error) {
  const id = randomUUID();
  console.error(`${service}: error ${id}:`, error);
  return { code: codes.INTERNAL, details: `internal error ${id}` };
}
