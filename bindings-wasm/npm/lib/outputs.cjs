// What an engine says: rows of numbers, and texts and bytes that they speak of in turn.
'use strict';

const { idleReasons, waitReasons } = require('../wasm/constants.json');
const { createError, createServiceError } = require('../errors.cjs');
const { listOf } = require('./headers.cjs');
const { queryOf } = require('./query.cjs');
const { resultOf, ROW } = require('./result.cjs');

// As `bindings-wasm/src/parcel.rs` and the engines beside it write them.
const ABORT = 1;
const WAIT_UNTIL = 2;
const IDLE = 3;
const SEND = 4;
const FINISHED = 5;
const STOPPED = 6;
const INCOMPLETE = 7;

class Outputs {
  /** The bodies of answers, by where their copies stand in the WebAssembly memory. */
  #bodies = new Map();

  /** Keeps the body of an answer until nothing is left that could speak of it. */
  keep(place, body) {
    this.#bodies.set(place, body);
  }

  read({ numbers, bytes, text }) {
    const parcel = { numbers, bytes, at: 0, offset: 0, texts: text && JSON.parse(text), next: 0 };
    const outputs = [];
    while (parcel.at < numbers.length) {
      outputs.push(this.#output(parcel));
    }
    return outputs;
  }

  #output(parcel) {
    const kind = number(parcel);
    switch (kind) {
      case ABORT:
        return { type: 'abort', id: number(parcel) };
      case WAIT_UNTIL:
        this.#bodies.clear();
        return { type: 'waitUntil', at: number(parcel), reason: waitReasons[number(parcel)] };
      case IDLE:
        this.#bodies.clear();
        return { type: 'idle', reason: idleReasons[number(parcel)] };
      case SEND:
        this.#bodies.clear();
        return this.send(parcel);
      default:
        return this.event(kind, parcel);
    }
  }

  body(parcel) {
    const place = number(parcel);
    return place === 0 ? bytes(parcel) : this.#bodies.get(place);
  }
}

class ExtractionOutputs extends Outputs {
  /** Method, URL and headers: those of one request are mostly those of the next. */
  #head;

  send(parcel) {
    const id = number(parcel);
    const deadline = number(parcel);
    const queries = number(parcel);
    const isKnown = number(parcel) === 1;
    const body = bytes(parcel);
    if (!isKnown) {
      const [method, url, lines] = [value(parcel), value(parcel), value(parcel)];
      this.#head = { method, url, headers: Object.freeze(listOf(lines)) };
    }
    return { type: 'send', id, request: { ...this.#head, body }, deadline, queries };
  }

  event(kind, parcel) {
    switch (kind) {
      case FINISHED:
        return this.#finished(parcel);
      case STOPPED:
        return { type: 'stopped', error: this.#serviceError(parcel) };
      default: {
        const query = queryOf(value(parcel));
        return { type: 'unmatched', query, result: this.#result(parcel, query) };
      }
    }
  }

  #finished(parcel) {
    const job = number(parcel);
    const attempts = number(parcel);
    const elapsed = number(parcel);
    const cost = { billed: number(parcel), possiblyBilled: number(parcel) };
    const query = queryOf(value(parcel));
    const key = value(parcel);
    const kind = number(parcel);
    const result = kind === 0 ? this.#result(parcel, query) : null;
    const error = result === null ? this.#error(parcel, kind) : result.error;
    return { type: 'finished', job, key, query, result, error, attempts, cost, elapsed };
  }

  #error(parcel, kind) {
    return kind === 1 ? this.#serviceError(parcel) : createError(...value(parcel));
  }

  #serviceError(parcel) {
    const [, ...parts] = value(parcel);
    return createServiceError(...parts, this.body(parcel));
  }

  #result(parcel, query) {
    const row = parcel.numbers.slice(parcel.at, parcel.at + ROW);
    parcel.at += ROW;
    // The third column tells whether there is an error, the last whether there is a head.
    const errors = row[2] === 0 ? [] : [value(parcel)];
    const heads = row[ROW - 1] === 0 ? [] : [value(parcel)];
    return resultOf(query, this.body(parcel), row, errors, heads);
  }
}

/** The proxy that a request goes through; its credentials are not among the data. */
class ProxyEndpoint {
  #authorization;

  constructor(url, authorization) {
    this.url = url;
    this.#authorization = authorization;
    Object.freeze(this);
  }

  get authorization() {
    return this.#authorization;
  }
}

class ProxyOutputs extends Outputs {
  #proxy;

  send(parcel) {
    const id = number(parcel);
    const deadline = number(parcel);
    const job = number(parcel);
    const proxy = number(parcel);
    const hasConnect = number(parcel) === 1;
    const [kind, session, sessionName] = [value(parcel), value(parcel), value(parcel)];
    const warnings = value(parcel);
    if (proxy === 2) {
      this.#proxy = new ProxyEndpoint(value(parcel), value(parcel));
    }
    const request = requestOf(parcel);
    return {
      type: 'send',
      id,
      kind,
      proxy: proxy === 0 ? null : this.#proxy,
      connect: hasConnect ? requestOf(parcel) : null,
      request,
      warnings,
      deadline,
      job: job === 0 ? null : job,
      session,
      sessionName,
    };
  }

  event(kind, parcel) {
    switch (kind) {
      case FINISHED:
        return this.#finished(parcel);
      case STOPPED:
        return { type: 'stopped', error: createError(...value(parcel)) };
      case INCOMPLETE: {
        const [job, body, url] = [number(parcel), number(parcel) === 1, number(parcel) === 1];
        const [key, headers] = [value(parcel), value(parcel)];
        return { type: 'incomplete', job, key, request: requestOf(parcel), headers, body, url };
      }
      default: {
        const [name, session, cause] = [value(parcel), value(parcel), value(parcel)];
        return { type: 'sessionLost', name, session, cause };
      }
    }
  }

  #finished(parcel) {
    const job = number(parcel);
    const attempts = number(parcel);
    const elapsed = number(parcel);
    const cost = { billed: number(parcel), possiblyBilled: number(parcel) };
    const key = value(parcel);
    const request = requestOf(parcel);
    const kind = number(parcel);
    let [response, error] = [null, null];
    if (kind === 0) {
      const facts = { id: number(parcel), session: value(parcel), outgoing: value(parcel) };
      response = { ...this.#response(parcel), ...facts };
    } else {
      error = createError(...value(parcel));
      if (kind === 1) {
        response = { ...this.#response(parcel), id: null, session: null, outgoing: null };
      }
    }
    return { type: 'finished', job, key, request, response, error, attempts, cost, elapsed };
  }

  #response(parcel) {
    const [status, headers] = [number(parcel), Object.freeze(listOf(value(parcel)))];
    return { status, headers, body: this.body(parcel) };
  }
}

function requestOf(parcel) {
  const [method, url, lines] = [value(parcel), value(parcel), value(parcel)];
  return { method, url, headers: Object.freeze(listOf(lines)), body: bytes(parcel) };
}

function number(parcel) {
  parcel.at += 1;
  return parcel.numbers[parcel.at - 1];
}

function value(parcel) {
  parcel.next += 1;
  return parcel.texts[parcel.next - 1];
}

function bytes(parcel) {
  const start = parcel.offset;
  parcel.offset += number(parcel);
  return parcel.bytes.subarray(start, parcel.offset);
}

exports.ExtractionOutputs = ExtractionOutputs;
exports.ProxyOutputs = ProxyOutputs;
