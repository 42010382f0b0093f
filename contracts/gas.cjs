#!/usr/bin/env node
// The gas figures in snapshots/ as one table: calls with their whole transaction, then each other group.
const { readFileSync, readdirSync } = require("node:fs");
const { basename, join } = require("node:path");

const folder = join(__dirname, "snapshots");
const groups = Object.fromEntries(
  readdirSync(folder).map((file) => [basename(file, ".json"), JSON.parse(readFileSync(join(folder, file), "utf8"))]),
);
const figure = (gas) => String(gas).replace(/(?<=\d)(?=(\d{3})+$)/g, " ");
const line = (name, ...cells) => console.log(name.padEnd(48) + cells.map((cell) => cell.padStart(13)).join(""));
const names = (group) => Object.keys(group).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

const { execution, transaction, ...others } = groups;
line("call", "execution", "transaction");
for (const name of names(execution)) line(name, figure(execution[name]), figure(transaction[name]));
for (const [title, group] of Object.entries(others)) {
  console.log();
  line(title, "execution");
  for (const name of names(group)) line(name, figure(group[name]));
}
