// `problem` of the core.
'use strict';

const { bytesOf } = require('./json.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('parts');

function readProblem(body) {
  return JSON.parse(wasm().readProblem(bytesOf(body)));
}

function buildProblem({ type, title, status, detail, instance, members, memberTexts } = {}) {
  const texts = Object.entries(members ?? {})
    .map(([name, value]) => [name, JSON.stringify(value)])
    .filter(([, text]) => text !== undefined);
  return wasm().buildProblem(
    type ?? undefined,
    title ?? undefined,
    status ?? undefined,
    detail ?? undefined,
    instance ?? undefined,
    [...texts, ...(memberTexts ?? [])].flat(),
  );
}

exports.buildProblem = buildProblem;
exports.readProblem = readProblem;
