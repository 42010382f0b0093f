// Makes what the sample feature file is learnt from and judged by, from the pinned packages: training.ndjson,
// heldout.ndjson, candidates.json, fixed.json, checks.ndjson and browser.json. `greenlightctl train` does the rest.
//   node make.mjs           writes them
//   node make.mjs --check   compares with the committed ones instead; exit 1 when one differs
import { readFileSync, writeFileSync } from "node:fs";
import { isbot } from "isbot";
import { checks } from "./lib/checks.mjs";
import { candidates, FIXED, keyOf } from "./lib/features.mjs";
import { IMITATORS_IN_TRAINING, LIBRARIES } from "./lib/libraries.mjs";
import { unit } from "./lib/prng.mjs";
import { browserRequest, chromeHeaders, disguisedRequest, imitatorRequest, libraryRequest, VIEW_NAMES } from "./lib/requests.mjs";
import { browsers, crawlers, setImplausibleAside } from "./lib/sources.mjs";
import { split } from "./lib/split.mjs";

const CREATED_AT = Date.UTC(2026, 10, 27) / 1000;
const LABEL = "sample-2026-11-27";
// User agents that each imitating library is given.
const IMITATED = 40;

const bot = (source, request) => ({ ...request, label: "bot", source });
const human = (item, view, seed) => ({ ...browserRequest(item, view, seed), label: "human", source: `${item.source}/${view}` });

/** Requests of libraries with the user agents of browsers of the same side of the split. */
function imitators(libraries, people, seed) {
  return libraries.flatMap((library) => {
    const drawn = people.map(({ ua }) => [unit(seed, `${library} ${ua}`), ua]).sort(([a], [b]) => a - b);
    return drawn.slice(0, IMITATED).map(([, ua]) => bot(`imitators/${library}`, imitatorRequest(library, ua, seed)));
  });
}

function trainingRequests(bots, people) {
  return [
    ...bots.map(({ ua, source }) => bot(`${source}/library-headers`, libraryRequest(ua, "training"))),
    ...bots.map(({ ua, source }) => bot(`${source}/browser-headers`, disguisedRequest(ua, "training"))),
    ...imitators(IMITATORS_IN_TRAINING, people, "training"),
    ...people.flatMap((item) => VIEW_NAMES.map((view) => human(item, view, "training"))),
  ];
}

function heldOutRequests(parts) {
  const people = parts.browsers.get("heldout");
  const unseen = Object.keys(LIBRARIES).filter((library) => !IMITATORS_IN_TRAINING.includes(library));
  return [
    ...["unseen", "seen"].flatMap((part) =>
      parts.bots.get(part).flatMap(({ ua, source }) => [
        bot(`${source}/${part}/library-headers`, libraryRequest(ua, "heldout")),
        bot(`${source}/${part}/browser-headers`, disguisedRequest(ua, "heldout")),
      ]),
    ),
    ...imitators(unseen, people, "heldout"),
    ...people.flatMap((item) => VIEW_NAMES.map((view) => human(item, view, "heldout"))),
  ];
}

const lines = (requests) => requests.map((request) => `${JSON.stringify(request)}\n`).join("");

/** A source of rows, one a line. */
function source(rows) {
  const head = { label: LABEL, engine: 1, intercept: 0, created_at: CREATED_AT };
  const text = rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [\n${text}\n  ]\n}\n`;
}

const { bots, known } = crawlers();
const { kept, aside } = setImplausibleAside(browsers());
const parts = split(bots, kept);
const [trainingBots, trainingPeople] = [parts.bots.get("training"), parts.browsers.get("training")];
const families = (list) => new Set(list.map((item) => item.family)).size;
const rows = candidates(trainingBots, trainingPeople, known, new Set(trainingBots.map((item) => item.family)));
const taken = new Set(FIXED.map((row) => row.key));

const heldOut = heldOutRequests(parts);
const training = trainingRequests(trainingBots, trainingPeople);
const files = {
  "training.ndjson": lines(training),
  "heldout.ndjson": lines(heldOut),
  "checks.ndjson": lines(checks()),
  "candidates.json": source(rows.map(({ kind, arg, sign }) => ({ key: keyOf({ kind, arg }, taken), kind, arg, weight: sign }))),
  "fixed.json": source(FIXED),
  "browser.json": `[\n${chromeHeaders("browser.json").map((header) => `  ${JSON.stringify(header)}`).join(",\n")}\n]\n`,
};
const agents = (part, list) => `${list.length} user agents of ${families(list)} families ${part}`;
console.log(`crawlers: ${agents("in training", trainingBots)}, ${agents("unseen", parts.bots.get("unseen"))}, ${agents("seen", parts.bots.get("seen"))}`);
console.log(`browsers: ${trainingPeople.length} in training, ${parts.browsers.get("heldout").length} held out, ${aside.length} set aside`);
console.log(`crawler user agents doubled: ${parts.duplicates}, claimed by both: ${parts.contradictory}`);
console.log(`training: ${training.length} requests, ${rows.length} candidates; held out: ${heldOut.length}`);
const declared = [...parts.bots.get("unseen"), ...parts.bots.get("seen")].map(({ ua }) => ua);
const called = (list) => `${((100 * list.filter((ua) => isbot(ua)).length) / list.length).toFixed(2)} %`;
console.log(`isbot on the held-out user agents: ${called(declared)} of crawlers, ${called(parts.browsers.get("heldout").map(({ ua }) => ua))} of browsers called bots`);

for (const [name, text] of Object.entries(files)) {
  const path = new URL(name, import.meta.url);
  // Made anew each time and not committed.
  if (!process.argv.includes("--check") || name === "training.ndjson") {
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`${name} differs from what the packages give`);
    process.exitCode = 1;
  }
}
