// Plays the examples of the OpenAPI document against a server behind Prism, and compares answers.
//   node replay.mjs DOCUMENT PRISM SERVER CLIENTS [--write]
// CLIENTS is a JSON file {client: {role, secret}}. An example's name pairs request and answer. --write puts
// what was answered into the document in place of comparing.
import { readFileSync, writeFileSync } from "node:fs";
import { format } from "./format.mjs";
import { story } from "./story.mjs";

const [path, prism, server, clientsPath, mode] = process.argv.slice(2);
const write = mode === "--write";
const document = JSON.parse(readFileSync(path, "utf8"));
const clients = JSON.parse(readFileSync(clientsPath, "utf8"));
const tokens = {};
const played = new Set();
let faults = 0;
let n = 0;

// Differ from one run to the next: only their type is compared.
const FLEETING = new Set(["access_token", "created_at", "changed_at", "joined_at", "opened_at",
    "deadline", "closed_at", "remaining_s", "seconds", "oracle_s", "method_s", "elapsed_s"]);

function fault(text) {
    console.error(`mismatch: ${text}`);
    faults++;
}

function resolve(node) {
    while (node && node.$ref)
        node = node.$ref.slice(2).split("/").reduce((at, key) => at[key], document);
    return node;
}

const operations = {};
for (const [at, item] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(item))
        operations[operation.operationId] = { at, method: method.toUpperCase(), ...operation };

function kind(value) {
    return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

// Where two documents differ; "" when they do not.
function difference(expected, got, where = "") {
    if (kind(expected) !== kind(got)) return `${where}: ${kind(expected)} is ${kind(got)}`;
    if (kind(expected) === "number")
        return Math.abs(expected - got) <= 1e-6 * (1 + Math.abs(expected))
            ? "" : `${where}: ${expected} is ${got}`;
    if (kind(expected) === "array" && expected.length !== got.length)
        return `${where}: ${expected.length} elements are ${got.length}`;
    if (kind(expected) !== "object" && kind(expected) !== "array")
        return expected === got ? "" : `${where}: ${expected} is ${got}`;
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
        if (!(key in expected) || !(key in got))
            return `${where}/${key}: only ${key in got ? "answered" : "documented"}`;
        if (FLEETING.has(key) && kind(expected[key]) === kind(got[key])) continue;
        const found = difference(expected[key], got[key], `${where}/${key}`);
        if (found) return found;
    }
    return "";
}

// What was answered, but what was documented where the two count as the same.
function merge(expected, got) {
    if (kind(expected) !== kind(got)) return got;
    if (kind(got) === "array")
        return got.map((value, i) => (i < expected.length ? merge(expected[i], value) : value));
    if (kind(got) !== "object") return difference(expected, got) ? got : expected;
    return Object.fromEntries(Object.entries(got).map(([key, value]) => [key, !(key in expected) ? value
        : FLEETING.has(key) && kind(value) === kind(expected[key]) ? expected[key] : merge(expected[key], value)]));
}

// Events, one object each, so that they are compared as other answers are.
function eventsOf(text) {
    return text.split("\n\n").filter(Boolean).map((event) => Object.fromEntries(
        event.split("\n").map((line) => line.split(/: ?(.*)/s).slice(0, 2))
            .map(([field, value]) => [field, field === "data" ? JSON.parse(value) : value])));
}

// Of text the comments count: numbers beside them change.
function differenceOfText(expected, got) {
    const lines = expected.split("\n").filter((line) => line.startsWith("#"));
    return lines.find((line) => !got.includes(line)) ?? "";
}

// Prism passes nothing on that is no JSON: such a step is `direct`.
function urlOf(operation, step) {
    const query = new URLSearchParams();
    let url = operation.at;

    for (const given of operation.parameters ?? []) {
        const parameter = resolve(given);
        const value = step.parameters?.[parameter.name] ?? parameter.example;
        if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, value);
        if (parameter.in === "query" && value !== undefined) query.set(parameter.name, value);
    }
    return (step.direct ? server : prism) + url + (query.size ? `?${query}` : "");
}

// The body of that step and its type: of the step itself, else of the example.
function bodyOf(operation, step) {
    const types = operation.requestBody?.content ?? {};

    if (step.body !== undefined) return [step.type ?? "application/json", step.body];
    for (const [type, { examples }] of Object.entries(types))
        if (examples && step.example in examples) return [type, examples[step.example].value];
    return [];
}

function encode(type, value) {
    if (typeof value === "string") return value;
    return type === "application/x-www-form-urlencoded"
        ? new URLSearchParams(value).toString() : JSON.stringify(value);
}

async function send(operation, step) {
    const [type, body] = bodyOf(operation, step);
    const headers = {};

    if (type) headers["Content-Type"] = type;
    Object.assign(headers, step.headers);
    if (step.as) headers.Authorization = `Bearer ${tokens[step.as]}`;
    const response = await fetch(urlOf(operation, step), {
        method: operation.method, headers,
        body: type === undefined ? undefined : encode(type, step.change ? step.change(body) : body),
    });
    const text = await response.text();
    n++;
    return { response, text, violations: JSON.parse(response.headers.get("sl-violations") ?? "[]") };
}

function checkViolations(name, step, violations) {
    for (const violation of violations)
        if (!step.refused || violation.location[0] !== "request")
            fault(`${name}: ${violation.location.join(".")}: ${violation.message}`);
}

// The example that the answer must be like: {holder, name}, or nothing.
function expectedOf(operation, step, status, type) {
    const responses = step.problem
        ? { [status]: document.components.responses[step.problem] } : operation.responses;
    const examples = resolve(responses[status])?.content?.[type]?.examples;
    const name = step.problem ? "example" : step.example;

    return name && examples && name in examples ? { examples, name } : undefined;
}

function compare(name, found, text, type) {
    const example = found.examples[found.name];
    const json = type.endsWith("json");
    const events = type === "text/event-stream";
    const got = json ? JSON.parse(text) : text;
    let differs = "";

    played.add(example);
    if (json)
        differs = difference(example.value, got);
    else
        differs = events ? difference(eventsOf(example.value), eventsOf(got)) : differenceOfText(example.value, got);
    if (write && (json || (events && differs))) {
        example.value = json ? merge(example.value, got) : got;
        return;
    }
    if (differs) fault(`${name}: the answer is not the example's: ${differs}`);
}

async function play(step) {
    const operation = operations[step.operation];
    const name = `${step.operation} ${step.example ?? step.problem ?? ""}`.trim();
    const { response, text, violations } = await send(operation, step);
    const type = (response.headers.get("content-type") ?? "").split(";")[0];
    const found = expectedOf(operation, step, response.status, type);

    checkViolations(name, step, violations);
    if (!(response.status in operation.responses))
        fault(`${name}: ${response.status} is not in the document: ${text.slice(0, 200)}`);
    if (step.status && response.status !== step.status)
        fault(`${name}: ${response.status} in place of ${step.status}: ${text.slice(0, 200)}`);
    for (const { examples } of Object.values(operation.requestBody?.content ?? {}))
        if (examples && step.example in examples) played.add(examples[step.example]);
    if (found)
        compare(name, found, text, type);
    else if (step.example || step.problem)
        fault(`${name}: no example for ${response.status} ${type}: ${text.slice(0, 300)}`);
    return { status: response.status, text, type };
}

// Every route: without a token, and as each client whose role it does not name.
async function playStrangers() {
    for (const operation of Object.values(operations)) {
        const scopes = operation.security.flatMap((one) => one.token ?? []);
        const step = { operation: operation.operationId, refused: true };
        const body = operation.requestBody ? { body: {} } : {};

        if (scopes.length === 0) continue;
        await play({ ...step, ...body, status: 401 });
        for (const [client, { role }] of Object.entries(clients))
            if (!scopes.includes(role))
                await play({ ...step, ...body, as: client, status: 403 });
    }
}

function* examplesOf(node) {
    if (node === null || typeof node !== "object") return;
    for (const [key, value] of Object.entries(node))
        if (key === "examples" && !Array.isArray(value)) yield* Object.values(value);
        else yield* examplesOf(value);
}

async function main() {
    const unplayed = new Set(["TooMany", "Unavailable"].flatMap((name) =>
        [...examplesOf(document.components.responses[name])]));

    await story({ play, playStrangers, tokens, clients });
    for (const example of examplesOf(document))
        if (!played.has(example) && !unplayed.has(example))
            fault(`an example was not played: ${JSON.stringify(example).slice(0, 200)}`);
    if (write) writeFileSync(path, `${format(document)}\n`);
    console.log(`${n} requests, ${played.size} examples, ${faults} mismatches`);
    process.exit(faults > 0 ? 1 : 0);
}

await main();
