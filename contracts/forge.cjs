#!/usr/bin/env node
// forge as npm installed it for this platform. The `forge` of the npm package runs the same binary, but ends with 0 however
// that ends, so a failing test would fail nothing.
const { spawnSync } = require("node:child_process");
const { readdirSync } = require("node:fs");
const { join } = require("node:path");

const packages = join(__dirname, "node_modules/@foundry-rs");
const binary = readdirSync(packages).find((name) => name.startsWith("forge-"));
if (!binary) throw new Error(`no package of forge for this platform in ${packages}`);
const { status, signal, error } = spawnSync(join(packages, binary, "bin/forge"), process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
if (signal) process.kill(process.pid, signal);
process.exit(status);
