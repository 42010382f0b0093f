#!/usr/bin/env node
// Lines, branches and functions of src/ that the tests reach, by file; fails where lines or branches are under 98 %.
// forge measures without the optimizer and step by step, so fuzzing is kept short, and what goes through every byte or measures
// gas is left out.
const { spawnSync } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const LEAST = 98;
const report = join(__dirname, "cache/coverage.lcov");
mkdirSync(join(__dirname, "cache"), { recursive: true });
const { status, stdout } = spawnSync(
  join(__dirname, "forge.cjs"),
  ["coverage", "--exclude-tests", "--report", "lcov", "--report-file", report, "--no-match-contract", "GasTest", "--no-match-test", "agreeOnEvery|breeding"],
  {
    cwd: __dirname,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FOUNDRY_FUZZ_RUNS: "32", FOUNDRY_INVARIANT_RUNS: "2", FOUNDRY_DENY: "never" },
  },
);
if (status !== 0) {
  console.error(stdout);
  process.exit(status ?? 1);
}

// LCOV: LF and LH are the lines found and hit, BRF and BRH the branches, FNF and FNH the functions.
const files = readFileSync(report, "utf8")
  .split("end_of_record")
  .map((record) => Object.fromEntries(record.split("\n").map((line) => line.split(/:(.*)/s).slice(0, 2))))
  .filter(({ SF }) => SF?.startsWith("src/"));
const percent = (found, hit) => (found === 0 ? 100 : (100 * hit) / found);
const sum = (key) => files.reduce((total, file) => total + Number(file[key] ?? 0), 0);
const row = (name, of) =>
  console.log(
    name.padEnd(42) +
      [["LF", "LH"], ["BRF", "BRH"], ["FNF", "FNH"]]
        .map(([found, hit]) => [Number(of(found)), Number(of(hit))])
        .map(([found, hit]) => `${percent(found, hit).toFixed(1)} % ${`(${hit}/${found})`.padStart(9)}`.padStart(20))
        .join(""),
  );

console.log("file".padEnd(42) + ["lines", "branches", "functions"].map((title) => title.padStart(20)).join(""));
for (const file of files) row(file.SF, (key) => file[key] ?? 0);
row("src/", sum);
const short = [["lines", "LF", "LH"], ["branches", "BRF", "BRH"]].filter(([, found, hit]) => percent(sum(found), sum(hit)) < LEAST);
for (const [what] of short) console.error(`${what}: expected ${LEAST} % at least`);
if (files.length === 0) console.error("expected files of src/ in the report; found none");
process.exit(short.length > 0 || files.length === 0 ? 1 : 0);
