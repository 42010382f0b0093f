#!/usr/bin/env node
// Mutation testing of src/: each mutant must make a test fail. See README.md, "Analysis".
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { fork, spawn } from "node:child_process";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile, learnEnums, mutantsOf, parse } from "./mutations.mjs";

const ROOT = resolve(import.meta.dirname, "..");
const WORK = resolve(ROOT, "../target/analysis/mutants");
const RESULTS = join(WORK, "results.jsonl");
const FORGE = forgeBinary();
const settings = JSON.parse(readFileSync(join(import.meta.dirname, "mutants.json"), "utf8"));

const { values: options } = parseArgs({
  options: {
    file: { type: "string" },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string" },
    jobs: { type: "string", default: "2" },
    list: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
  },
});

// ------------------------------------------------------------------------------------------------------------- mutants

const files = sol("src").filter((file) => !settings.excluded.some((entry) => entry.file === file));
const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
const trees = parse(ROOT, sol("src"));
learnEnums(trees);

const sources = digest(...sol("src").map((file) => readFileSync(join(ROOT, file), "utf8")));
const everything = digest(...["src", "test", "script"].flatMap(sol).map((file) => readFileSync(join(ROOT, file), "utf8")));
const all = files.flatMap((file) => mutantsOf(file, trees[file], texts[file]));
for (const mutant of all) mutant.key = key(mutant);

const equivalent = new Map();
const stale = [];
for (const entry of settings.equivalent) {
  const matching = all.filter((mutant) => matches(entry, mutant));
  if (matching.length === 0) stale.push(entry);
  for (const mutant of matching) equivalent.set(mutant.key, entry.why);
}

let chosen = all.filter((mutant) => new RegExp(options.file ?? "").test(mutant.file));
if (options.sample) chosen = sample(chosen, Number(options.sample), Number(options.seed));

if (options.list) {
  writeFileSync(1, chosen.map((mutant) => `${describe(mutant)}\n`).join(""));
  process.exit();
}

// ------------------------------------------------------------------------------------------------------------- results

mkdirSync(WORK, { recursive: true });
if (options.fresh) rmSync(RESULTS, { force: true });
const results = new Map();
if (existsSync(RESULTS)) {
  for (const line of readFileSync(RESULTS, "utf8").split("\n").filter(Boolean)) {
    const result = JSON.parse(line);
    results.set(result.key, result);
  }
}

/**
 * Whether a verdict of an earlier run holds still. A survivor's holds while nothing changes at all; that of the same code while
 * the sources are the same; a kill while the mutated file (comments aside) is the same and the test that failed exists; what does
 * not compile depends on its file alone.
 */
function holds(result, mutant) {
  if (!result || result.code !== codeDigest(mutant.file)) return false;
  if (result.verdict === "survived") return result.everything === everything;
  if (result.verdict === "same code") return result.sources === sources;
  if (!result.by) return true;
  if (!existsSync(join(ROOT, result.by))) return false;
  // Every suite begins with its constructor and its setUp, wherever they stand.
  if (["constructor", "setUp"].includes(result.test)) return true;
  return readFileSync(join(ROOT, result.by), "utf8").includes(`function ${result.test}(`);
}

/** The tests that run just now; they end with this process. */
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill("SIGKILL");
    process.exit(130);
  });
}

const todo = chosen.filter((mutant) => !equivalent.has(mutant.key) && !holds(results.get(mutant.key), mutant));
const end = options.minutes ? Date.now() + Number(options.minutes) * 60_000 : Infinity;
if (!options.report && todo.length > 0) {
  console.log(`${chosen.length} mutants, ${todo.length} to be judged`);
  // What survived before comes first, in the hope of a new test; then spread over the files, so that a run cut short has seen
  // something of each.
  const survivedBefore = (mutant) => (results.get(mutant.key)?.verdict === "survived" ? 0 : 1);
  const queue = sample(todo, todo.length, 1).sort((a, b) => survivedBefore(a) - survivedBefore(b));
  const jobs = Math.min(2, Number(options.jobs));
  await Promise.all(Array.from({ length: jobs }, (_, i) => work(i, queue)));
}
process.exitCode = report();

// ------------------------------------------------------------------------------------------------------------- running

/** One worker: its own copy of the contracts, its own compiler, mutants until there are none left. */
async function work(number, queue) {
  const copy = join(WORK, `copy-${number}`, "contracts");
  const socket = join(WORK, `solc-${number}.sock`);
  makeCopy(copy);
  rmSync(socket, { force: true });
  const compiler = fork(join(import.meta.dirname, "warm-solc.cjs"), ["--listen", socket]);
  await new Promise((ready) => compiler.once("message", ready));
  const environment = { ...process.env, FOUNDRY_PROFILE: "mutants", FOUNDRY_SOLC: "./analysis/warm-solc.cjs", WARM_SOLC: socket };
  try {
    // The unchanged contracts pass, else nothing is said by what fails.
    for (const tier of number > 0 ? [] : new Set(queue.flatMap(tiersOf))) {
      const unchanged = { key: `unchanged: ${tier}`, everything };
      if (results.get(unchanged.key)?.everything === everything) continue;
      const { verdict, output } = await judge(copy, tier, environment);
      if (verdict !== "survived") throw new Error(`the unchanged contracts fail: forge test ${tier}\n${output}`);
      store(unchanged);
    }
    for (let mutant; Date.now() < end && (mutant = queue.shift()); ) {
      const started = Date.now();
      const path = join(copy, mutant.file);
      writeFileSync(path, mutated(mutant));
      let result = { verdict: "survived" };
      for (const tier of tiersOf(mutant)) {
        result = await judge(copy, tier, environment);
        if (result.verdict !== "survived") break;
      }
      writeFileSync(path, texts[mutant.file]);
      if (result.verdict === "survived" && sameCode(mutant)) result.verdict = "same code";
      const { verdict, by, test } = result;
      const stored = { key: mutant.key, verdict, by, test, everything, sources, code: codeDigest(mutant.file), ms: Date.now() - started };
      store(stored);
      console.log(`${verdict.padEnd(16)} ${(stored.ms / 1000).toFixed(1).padStart(5)} s  ${describe(mutant)}${by ? `  (${test})` : ""}`);
    }
  } finally {
    compiler.kill();
    rmSync(socket, { force: true });
  }
}

function store(result) {
  results.set(result.key, result);
  appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
}

/** Arguments of `forge test`, in the order in which they are tried on a mutant: what is likeliest to fail comes first. */
function tiersOf({ file, where }) {
  const tier = settings.tiers.find((tier) => file.startsWith(tier.files) && new RegExp(tier.where ?? "").test(where));
  return tier.tests.map((test) => settings.groups[test] ?? test);
}

async function judge(copy, tier, env) {
  // By CPU time, not by the clock, so that a busy machine makes no mutant time out.
  const command = `ulimit -t ${settings.cpuSeconds}; exec ${FORGE} test --threads 1 --fail-fast ${tier}`;
  const child = spawn("bash", ["-c", command], { cwd: copy, env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code, signal] = await new Promise((done) => child.on("close", (...how) => done(how)));
  running.delete(child);
  if (code === 0) return { verdict: "survived", output };
  if (/Compiler run failed/.test(output)) return { verdict: "does not compile", output };
  // The suite that failed stands above its failure.
  const failed = output.search(/^\[FAIL/m);
  if (failed >= 0) {
    const by = [...output.slice(0, failed).matchAll(/^Ran \d+ tests? for (\S+?):/gm)].at(-1)[1];
    // An invariant's name stands below the calls that broke it.
    const name = /^\[FAIL.*?\] (\w+)\(|^\s*(invariant\w*)\(/m.exec(output.slice(failed));
    const test = name?.[1] ?? name?.[2];
    return { verdict: "killed", by, test, output };
  }
  if (signal === "SIGXCPU" || signal === "SIGKILL") return { verdict: "timed out", output };
  throw new Error(`forge failed in a way that says nothing of the mutant:\n${output}`);
}

function makeCopy(copy) {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  const left = new Set(["node_modules", "out", "cache", "broadcast", "deployments"]);
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !left.has(relative(ROOT, path)) });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  mkdirSync(join(copy, "deployments"));
  // What else the tests may read.
  for (const [, path] of readFileSync(join(ROOT, "foundry.toml"), "utf8").matchAll(/path = "(\.\.\/[^"]+)"/g)) {
    if (!existsSync(join(ROOT, path))) continue;
    rmSync(join(copy, path), { recursive: true, force: true });
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  }
}

/** The text of its file with the mutant in it. */
function mutated({ file, start, end, text }) {
  const original = Buffer.from(texts[file]);
  return Buffer.concat([original.subarray(0, start), Buffer.from(text), original.subarray(end)]).toString();
}

/** Whether the optimizing compiler makes of the mutant the very code that it makes of the original. */
function sameCode(mutant) {
  sameCode.original ??= codeOf(texts);
  return codeOf({ ...texts, [mutant.file]: mutated(mutant) }) === sameCode.original;
}

function codeOf(changed) {
  const settings = {
    optimizer: { enabled: true, runs: 100_000 },
    evmVersion: "cancun",
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
  };
  return JSON.stringify(compile(ROOT, changed, settings).contracts);
}

// -------------------------------------------------------------------------------------------------------------- report

function report() {
  const counts = new Map(files.map((file) => [file, { killed: 0, survived: 0, equivalent: 0, stillborn: 0, unknown: 0 }]));
  const survivors = [];
  for (const mutant of chosen) {
    const count = counts.get(mutant.file);
    const result = results.get(mutant.key);
    if (equivalent.has(mutant.key)) count.equivalent += 1;
    else if (!holds(result, mutant)) count.unknown += 1;
    else if (result.verdict === "killed" || result.verdict === "timed out") count.killed += 1;
    else if (result.verdict === "same code") count.equivalent += 1;
    else if (result.verdict === "does not compile") count.stillborn += 1;
    else {
      count.survived += 1;
      survivors.push(mutant);
    }
  }
  for (const mutant of survivors) console.log(`survived: ${describe(mutant)}`);
  const total = { killed: 0, survived: 0, equivalent: 0, stillborn: 0, unknown: 0 };
  const row = (name, c) =>
    console.log(`${name.padEnd(38)} ${String(c.killed).padStart(5)} of ${String(c.killed + c.survived).padStart(5)} killed, ` +
      `${c.equivalent} equivalent, ${c.stillborn} do not compile${c.unknown ? `, ${c.unknown} not judged` : ""}`);
  for (const [file, count] of counts) {
    if (Object.values(count).every((n) => n === 0)) continue;
    row(file, count);
    for (const name of Object.keys(total)) total[name] += count[name];
  }
  row("all", total);
  for (const entry of stale) console.log(`mutants.json lists an equivalent mutant that does not exist: ${JSON.stringify(entry)}`);
  const judged = total.killed + total.survived;
  const score = judged === 0 ? 0 : (100 * total.killed) / judged;
  console.log(`score: ${score.toFixed(1)} %, required: ${settings.required} %${options.sample ? ` (sample of ${chosen.length}, seed ${options.seed})` : ""}`);
  if (total.unknown > 0) return 2;
  return score >= settings.required && stale.length === 0 ? 0 : 1;
}

// ------------------------------------------------------------------------------------------------------------- helpers

/** The binary: `forge.cjs` would stay behind when it is killed. */
function forgeBinary() {
  const packages = join(ROOT, "node_modules/@foundry-rs");
  const name = readdirSync(packages).find((name) => name.startsWith("forge-"));
  return join(packages, name, "bin/forge");
}
function sol(directory) {
  const paths = readdirSync(join(ROOT, directory), { recursive: true });
  return paths.filter((path) => path.endsWith(".sol")).map((path) => `${directory}/${path}`).sort();
}
function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}
function codeDigest(file) {
  codeDigest.known ??= new Map();
  if (!codeDigest.known.has(file)) {
    const code = texts[file].replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "").replace(/\s+/g, " ");
    codeDigest.known.set(file, digest(code));
  }
  return codeDigest.known.get(file);
}
function key({ file, where, line, was, becomes, nth }) {
  return JSON.stringify([file, where, line, was, becomes, nth]);
}
/** An entry of mutants.json names a mutant by some of its fields; `line`, `was` and `becomes` may be lists. */
function matches(entry, mutant) {
  return ["file", "where", "line", "was", "becomes", "nth"].every((field) =>
    entry[field] === undefined || [entry[field]].flat().includes(mutant[field]));
}
function describe({ file, where, line, was, becomes, nth }) {
  const short = (text) => (text.length > 90 ? `${text.slice(0, 87)}...` : text);
  return `${file} ${where}: ${short(was)} → ${short(becomes) || "nothing"}${nth ? ` #${nth}` : ""}  [${short(line)}]`;
}
/** `count` of `items` in an order that `seed` decides (mulberry32, Fisher and Yates). */
function sample(items, count, seed) {
  const shuffled = [...items];
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  for (let i = shuffled.length - 1; i > 0; --i) {
    const j = next() % (i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled.slice(0, count);
}
