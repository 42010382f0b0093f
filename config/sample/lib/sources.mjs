// What the packages carry: user agents of crawlers grouped into families, and user agents of browsers with their origin.
import { readFileSync } from "node:fs";
import AdmZip from "adm-zip";
import { byText } from "./prng.mjs";

const fileOf = (path) => new URL(`../node_modules/${path}`, import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(fileOf(path), "utf8"));

// Hosts that list bots of many operators: sharing one of them says nothing about kinship.
const CATALOGUES = new Set(["datadome.co", "knownagents.com", "github.com"]);

/** A header value as a server would see it: printable ASCII without outer blanks; null for anything else. */
function headerValue(text) {
  const trimmed = text.trim();
  return /^[\x20-\x7e]+$/.test(trimmed) ? trimmed : null;
}

function operatorOf(url) {
  let host;
  try {
    host = new URL(url).hostname.toLowerCase();
  } catch {
    return null;
  }
  const labels = host.split(".");
  const keep = labels.length > 2 && labels[labels.length - 2].length <= 3 ? 3 : 2;
  const operator = labels.slice(-keep).join(".");
  return CATALOGUES.has(operator) ? null : operator;
}

/** The first word of a pattern, e.g. "ahrefs" of "AhrefsSiteAudit\\/"; null when it is too short to tell. */
function stemOf(pattern) {
  const word = /[A-Za-z][a-z]+|[A-Z]{2,}(?![a-z])/.exec(pattern.replace(/\\[a-zA-Z]/g, " "));
  return word && word[0].length >= 4 ? word[0].toLowerCase() : null;
}

/**
 * Crawler user agents, each with its family. Entries of the package are one family when a pattern of one matches an
 * instance of the other, when they name the same operator's site, or when their names begin with the same word: a
 * "family unseen in training" must not have a sister there.
 */
export function crawlers() {
  const entries = readJson("crawler-user-agents/crawler-user-agents.json");
  const parent = entries.map((_, i) => i);
  const find = (i) => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  const join = (a, b) => {
    const [x, y] = [find(a), find(b)];
    parent[Math.max(x, y)] = Math.min(x, y);
  };
  const patterns = entries.map((entry) => new RegExp(entry.pattern));
  const first = new Map();
  entries.forEach((entry, i) => {
    for (const ua of entry.instances) {
      patterns.forEach((pattern, j) => {
        if (j !== i && pattern.test(ua)) join(i, j);
      });
    }
    for (const key of [`site ${operatorOf(entry.url)}`, `stem ${stemOf(entry.pattern)}`]) {
      if (key.endsWith(" null")) continue;
      if (first.has(key)) join(i, first.get(key));
      else first.set(key, i);
    }
  });
  const bots = [];
  entries.forEach((entry, i) => {
    const family = entries[find(i)].pattern;
    for (const instance of entry.instances) {
      const ua = headerValue(instance);
      if (ua !== null) bots.push({ ua, family, pattern: entry.pattern, tags: entry.tags ?? [], source: "crawler-user-agents" });
    }
  });
  const known = entries.map((entry, i) => ({ pattern: entry.pattern, family: entries[find(i)].pattern }));
  return { bots, known };
}

/**
 * Browser user agents, each once, with the package that carries it first. `language` is the browser's own where the
 * package tells it.
 */
export function browsers() {
  const network = headerGeneratorUserAgents();
  const sampled = readJson("user-agents/dist/user-agents.json");
  const ranked = readJson("top-user-agents/src/index.json");
  const all = [
    ...ranked.map((ua) => ({ ua, source: "top-user-agents", language: "en-US" })),
    ...network.map((ua) => ({ ua, source: "header-generator", language: "en-US" })),
    ...sampled.map((entry) => ({ ua: entry.userAgent, source: "user-agents", language: entry.language || "en-US" })),
  ];
  const unique = new Map();
  for (const item of all) {
    const ua = headerValue(item.ua);
    if (ua !== null && !unique.has(ua)) unique.set(ua, { ...item, ua });
  }
  return [...unique.values()].sort((a, b) => byText(a.ua, b.ua));
}

/** Every user agent that header-generator's network can emit. */
function headerGeneratorUserAgents() {
  const archive = readFileSync(fileOf("header-generator/data_files/header-network-definition.zip"));
  const network = JSON.parse(new AdmZip(archive).getEntries()[0].getData().toString("utf8"));
  return network.nodes
    .filter((node) => node.name.toLowerCase() === "user-agent")
    .flatMap((node) => node.possibleValues)
    .filter((ua) => !ua.startsWith("*"));
}

// The user agent of every current browser: Gecko's form, or WebKit's with its fixed comment.
const BROWSER_FORM = /^Mozilla\/5\.0 \([^)]*\)+ (Gecko\/\S+ Firefox\/|AppleWebKit\/\S+ \(KHTML, like Gecko\)( |$))/;
const MAX_BRANCHES = 4;

/**
 * Sets aside user agents that no browser sends, though the browser packages carry them (they sample traffic, and
 * programs are part of it): those not of a browser's form, and those with an invented Chrome version. A Chrome major has
 * one branch number for good, so one or two are seen of each real major, yet dozens for some old ones. Their sender is a
 * program, but the packages do not say so: they are neither "human" nor "bot" here.
 */
export function setImplausibleAside(list) {
  const branches = new Map();
  const chrome = (ua) => /Chrome\/(\d+)\.\d+\.(\d+)/.exec(ua);
  for (const { ua } of list) {
    const match = chrome(ua);
    if (match) branches.set(match[1], (branches.get(match[1]) ?? new Set()).add(match[2]));
  }
  const implausible = ({ ua }) => {
    const match = chrome(ua);
    return !BROWSER_FORM.test(ua) || (match !== null && branches.get(match[1]).size > MAX_BRANCHES);
  };
  return { kept: list.filter((item) => !implausible(item)), aside: list.filter(implausible) };
}
