// Makes ../sample.json (the source of the sample feature file), heldout.ndjson and browser.json from the pinned packages.
//   node make.mjs           writes them and prints the figures
//   node make.mjs --check   compares with the files that are there instead; exit 1 when one differs
//   node make.mjs --missed  also lists the held-out user agents that are called wrong
import { readFileSync, writeFileSync } from "node:fs";
import { isbot } from "isbot";
import { check } from "./lib/checks.mjs";
import { candidates, HAND_SET, keyOf } from "./lib/features.mjs";
import { select } from "./lib/learn.mjs";
import { byText } from "./lib/prng.mjs";
import { browserRequest, chromeHeaders, disguisedRequest, libraryRequest, VIEW_NAMES } from "./lib/requests.mjs";
import { evaluate, fires, score, view } from "./lib/score.mjs";
import { browsers, crawlers, setImplausibleAside } from "./lib/sources.mjs";
import { groupBy, split } from "./lib/split.mjs";

const ROWS = 180;
const RIDGE = 0.1;
// Of a crawler's weight in training, the part that goes to its request with a browser's headers.
const DISGUISED = 0.2;
const MAX_WEIGHT = 10_000;
const CREATED_AT = Date.UTC(2026, 10, 21) / 1000;

/** Requests with label and weight: each user agent weighs 1, each class the same in total. */
function trainingRequests(bots, people) {
  const balance = bots.length / people.length;
  return [
    ...bots.flatMap(({ ua }) => [
      { request: libraryRequest(ua, "training"), label: 1, weight: 1 - DISGUISED },
      { request: disguisedRequest(ua, "training"), label: 1, weight: DISGUISED },
    ]),
    ...people.flatMap((item) => VIEW_NAMES.map((name) => ({ request: browserRequest(item, name, "training"), label: 0, weight: balance / VIEW_NAMES.length }))),
  ];
}

function learn(bots, people, known) {
  const rows = candidates(bots, people, known, new Set(bots.map((bot) => bot.family)));
  const samples = trainingRequests(bots, people).map(({ request, label, weight }) => {
    const seen = view(request);
    return { label, weight, fired: rows.flatMap((row, column) => (fires(row, seen) ? [column] : [])) };
  });
  const handSet = new Set(HAND_SET.map(({ kind, arg }) => `${kind} ${arg}`));
  const signs = rows.map((row) => row.sign);
  const fitted = select(samples, signs, ROWS - HAND_SET.length, RIDGE);
  const taken = new Set(HAND_SET.map((row) => row.key));
  const learned = fitted.chosen.map((column, i) => {
    const { kind, arg } = rows[column];
    if (handSet.has(`${kind} ${arg}`)) throw new Error(`a row set by hand was learnt too: ${kind} ${arg}`);
    const weight = Math.round(fitted.weights[i] * 1000);
    if (weight === 0 || Math.abs(weight) > MAX_WEIGHT) throw new Error(`weight of ${kind} ${arg} is ${weight}`);
    return { key: keyOf({ kind, arg }, taken), kind, arg, weight };
  });
  const model = { intercept: Math.round(fitted.intercept * 1000), rows: [...learned, ...HAND_SET].sort((a, b) => byText(a.key, b.key)) };
  return { model, candidates: rows.length };
}

function heldOutRequests(parts) {
  const bots = ["unseen", "seen"].flatMap((part) =>
    parts.bots.get(part).flatMap(({ ua, source }) => [
      { ...libraryRequest(ua, "heldout"), label: "bot", source: `${source}/${part}/library-headers` },
      { ...disguisedRequest(ua, "heldout"), label: "bot", source: `${source}/${part}/browser-headers` },
    ]),
  );
  const people = parts.browsers.get("heldout").flatMap((item) => VIEW_NAMES.map((name) => ({ ...browserRequest(item, name, "heldout"), label: "human", source: `${item.source}/${name}` })));
  return [...bots, ...people];
}

const percent = (part, whole) => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`);
const say = (...columns) => console.log(columns.map((text, i) => (i === 0 ? String(text).padEnd(46) : String(text).padStart(11))).join(""));

function report(model, heldOut) {
  say("held-out bots", "requests", "agents", "recall");
  const tested = groupBy(heldOut, ({ source, label }) => (label === "bot" ? source : source.split("/")[0]));
  for (const [source, requests] of tested) {
    const got = evaluate(model, requests);
    if (got.bots > 0) say(source, got.bots, got.botAgents.size, percent(got.caught, got.bots));
  }
  say("held-out browsers", "requests", "agents", "called bot", "score >= 70");
  for (const [source, requests] of tested) {
    const got = evaluate(model, requests);
    if (got.humans > 0) say(source, got.humans, got.humanAgents.size, percent(got.accused, got.humans), percent(got.humansSure, got.humans));
  }
  const all = evaluate(model, heldOut);
  say("all held-out requests", "precision", "recall", "FPR");
  say("", percent(all.caught, all.caught + all.accused), percent(all.caught, all.bots), percent(all.accused, all.humans));
  const [botAgents, humanAgents] = [[...all.botAgents], [...all.humanAgents]];
  say("isbot on the same user agents", "", percent(botAgents.filter((ua) => isbot(ua)).length, botAgents.length), percent(humanAgents.filter((ua) => isbot(ua)).length, humanAgents.length));
  return all;
}

const pretty = (model) => {
  const rows = model.rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `{\n  "label": "sample-2026-11-21",\n  "engine": 1,\n  "intercept": ${model.intercept},\n  "created_at": ${CREATED_AT},\n  "rows": [\n${rows}\n  ]\n}\n`;
};

const { bots, known } = crawlers();
const { kept, aside } = setImplausibleAside(browsers());
const parts = split(bots, kept);
const [trainingBots, trainingPeople] = [parts.bots.get("training"), parts.browsers.get("training")];
const families = (list) => new Set(list.map((bot) => bot.family)).size;
say("user agents", "training", "held out");
say(`crawlers (${families(trainingBots)} families in training)`, trainingBots.length, "");
say(`  of ${families(parts.bots.get("unseen"))} families unseen in training`, "", parts.bots.get("unseen").length);
say(`  of ${families(parts.bots.get("seen"))} families seen in training`, "", parts.bots.get("seen").length);
say("browsers", trainingPeople.length, parts.browsers.get("heldout").length);
say("set aside: no browser sends them", aside.length);
say("crawler user agents doubled, claimed by both", parts.duplicates, parts.contradictory);

const { model, candidates: count } = learn(trainingBots, trainingPeople, known);
const chrome = chromeHeaders("browser.json");
check(model, chrome);
const heldOut = heldOutRequests(parts);
const kinds = [...groupBy(model.rows, (row) => row.kind)].map(([kind, rows]) => `${rows.length} ${kind}`).join(", ");
console.log(`\n${model.rows.length} rows of ${count} candidates: ${kinds}; intercept ${model.intercept}; browser.json scores ${score(model, { headers: chrome }).score}\n`);
const all = report(model, heldOut);
const asideCalled = (send) => percent(aside.filter(({ ua }) => score(model, send(ua, "aside")).score <= 29).length, aside.length);
say("\nset aside, called bot", "", asideCalled(libraryRequest), asideCalled(disguisedRequest));
if (process.argv.includes("--missed")) console.log(["\nbots missed:", ...[...all.missed].sort(byText), "\nbrowsers called bots:", ...[...all.wronged].sort(byText)].join("\n"));

const files = {
  "../sample.json": pretty(model),
  "heldout.ndjson": heldOut.map((request) => `${JSON.stringify(request)}\n`).join(""),
  "browser.json": `[\n${chrome.map((header) => `  ${JSON.stringify(header)}`).join(",\n")}\n]\n`,
};
for (const [name, text] of Object.entries(files)) {
  const path = new URL(name, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`${name} differs from what the packages give`);
    process.exitCode = 1;
  }
}
