// Candidate rows, mined from training requests alone, and the few rows set by hand.
import { byText } from "./prng.mjs";

const MAX_ARG = 28;
const MIN_FAMILIES = 3;
const MIN_BROWSER_SHARE = 0.03;

// Header traits that clients differ in, with the only direction each may count in (+1 bot, -1 human): a bot that copies
// a browser's headers must not turn them into evidence against browsers.
const HEADER_ROWS = [
  ["header-absent", "accept", 1],
  ["header-absent", "accept-language", 1],
  ["header-absent", "accept-encoding", 1],
  ["header-equals", "accept-encoding:gzip", 1],
  ["header-present", "sec-fetch-mode", -1],
  ["header-present", "sec-ch-ua", -1],
  ["header-present", "upgrade-insecure-requests", -1],
  ["header-contains", "accept:image/avif", -1],
  ["header-contains", "accept-encoding:br", -1],
  ["header-contains", "accept-encoding:zstd", -1],
  ["header-equals", "accept-language:*", 1],
  ["header-equals", "accept-encoding:identity", 1],
  ["header-equals", "connection:close", 1],
  ["accept-language-malformed", "", 1],
  ["hints-missing", "", 1],
  ["hints-contradict", "", 1],
  ["header-count-under", "4", 1],
  ["header-count-under", "6", 1],
  ["header-count-under", "8", 1],
  ["ua-shorter-than", "30", 1],
  ["ua-shorter-than", "60", 1],
  ["header-order", "^hua", 1],
  ["header-order", "^hue", 1],
  ["header-order", "^hce", 1],
  ["header-order", "^hca", 1],
  ["header-order", "^hcu", 1],
  ["header-order", "^ha", 1],
  ["header-order", "^a", 1],
  ["header-order", "^ua", 1],
  ["header-order", "eu$", 1],
  ["header-order", "c$", 1],
  ["header-order", "ua$", 1],
  ["header-order", "cu", 1],
];

// Words of platforms, devices, engines and in-app browsers. Crawlers imitate them, and the packages hold too few old
// phones and web views to weigh them fairly, so none may count against a client.
const NEVER_AGAINST =
  /android|apple|book|browser|build|chrom|dalvik|electron|fban|fbav|firefox|gecko|goo|gle|iab|instagram|intel|iphone|ipad|ipod|khtml|like|linux|mac|mobile|mmb|mozilla|msie|nexus|opd|opera|phone|pixel|safari|samsung|tablet|trident|ubuntu|version|webkit|win|wow|x11/;
// Crawler patterns that people's phones carry too: in-app browsers and Android build numbers.
const AMBIGUOUS = /iab|\d{3}/;
const STOP_WORDS = new Set(["and", "com", "for", "from", "net", "not", "org", "the", "use", "with", "www", "you", "your", "htm", "html"]);
const MIN_FAMILIES_OF_SHORT = 10;
const NEARLY_SAME = 0.95;

/** A crawler pattern as a literal token, or null when it is more than one. Letter classes such as [Bb] fold to lower case. */
export function literalOf(pattern) {
  const plain = pattern
    .replace(/^\^/, "")
    .replace(/\$$/, "")
    .replace(/\[([A-Za-z])([A-Za-z])\]/g, (whole, a, b) => (a.toLowerCase() === b.toLowerCase() ? a : whole))
    .replace(/\\([^a-zA-Z0-9])/g, (_, char) => `\u0000${char}`);
  if (/(^|[^\u0000])[[\](){}|?*+^$.\\]/.test(plain)) return null;
  const token = plain.replaceAll("\u0000", "").toLowerCase();
  return usable(token) ? token : null;
}

const usable = (token) => token.length >= 3 && token.length <= MAX_ARG && /^[\x20-\x40\x5b-\x7e]+$/.test(token) && token.trim() === token;

/** Tokens of one user agent: whole words, alone and with the marks beside them. No digits: versions age. */
export function tokensOf(ua) {
  const text = ua.toLowerCase();
  const tokens = new Set();
  for (const match of text.matchAll(/[a-z]{3,}/g)) {
    const [start, end] = [match.index, match.index + match[0].length];
    tokens.add(match[0]);
    tokens.add(text.slice(Math.max(0, start - 1), end));
    tokens.add(text.slice(start, end + 1));
    tokens.add(text.slice(Math.max(0, start - 1), end + 1));
  }
  for (const match of text.matchAll(/\+?https?:\/\/|[a-z]@[a-z]|mozilla\/5\.0|\.[a-z]{2,4}\/|[a-z]; \+|like gecko\)/g)) tokens.add(match[0]);
  return [...tokens].filter((token) => usable(token) && !(/\d/.test(token) && token !== "mozilla/5.0"));
}

/**
 * Candidate rows `{ kind, arg, sign }`; the sign is the direction in which a row may count. A user-agent token counts for
 * bots when three crawler families of the training set or a crawler pattern back it, and for humans when a share of the
 * training browsers carries it.
 */
export function candidates(bots, browsers, known, trainingFamilies) {
  const botAgents = bots.map(({ ua }) => ua.toLowerCase());
  const humanAgents = browsers.map(({ ua }) => ua.toLowerCase());
  const having = (agents, token) => agents.flatMap((ua, i) => (ua.includes(token) ? [i] : []));

  const tokens = new Map();
  const literals = known.filter(({ family }) => trainingFamilies.has(family)).map(({ pattern }) => literalOf(pattern));
  for (const token of new Set(literals)) {
    if (token !== null && !AMBIGUOUS.test(token) && having(humanAgents, token).length === 0 && having(botAgents, token).length > 0) tokens.set(token, 1);
  }
  const familiesOf = new Map();
  for (const { ua, family } of [...bots, ...browsers]) {
    for (const token of tokensOf(ua)) {
      if (!familiesOf.has(token)) familiesOf.set(token, new Set());
      if (family !== undefined) familiesOf.get(token).add(family);
    }
  }
  for (const [token, families] of familiesOf) {
    if (having(humanAgents, token).length >= MIN_BROWSER_SHARE * browsers.length) tokens.set(token, -1);
    else if (mayCountAgainst(token) && families.size >= (token.length === 3 ? MIN_FAMILIES_OF_SHORT : MIN_FAMILIES)) tokens.set(token, 1);
  }
  const rows = distinct(tokens, (token) => having([...botAgents, ...humanAgents], token));
  return [...rows.map((arg) => ({ kind: "ua-contains", arg, sign: tokens.get(arg) })), ...HEADER_ROWS.map(([kind, arg, sign]) => ({ kind, arg, sign }))];
}

const mayCountAgainst = (token) => !NEVER_AGAINST.test(token) && !STOP_WORDS.has(token);

/** Of tokens that contain one another and fire on nearly the same user agents keeps one: the one that fires most often, then the shortest. */
function distinct(tokens, having) {
  const ranked = [...tokens.keys()]
    .map((token) => ({ token, fired: new Set(having(token)) }))
    .filter(({ fired }) => fired.size > 0)
    .sort((a, b) => b.fired.size - a.fired.size || a.token.length - b.token.length || byText(a.token, b.token));
  const kept = [];
  for (const item of ranked) {
    const same = kept.some(({ token, fired }) => {
      if (tokens.get(token) !== tokens.get(item.token) || !(token.includes(item.token) || item.token.includes(token))) return false;
      return item.fired.size >= NEARLY_SAME * fired.size && [...item.fired].every((i) => fired.has(i));
    });
    if (!same) kept.push(item);
  }
  return kept.map(({ token }) => token).sort(byText);
}

/** Rows that no training data supports; README.md gives the reason for each. */
export const FIXED = [
  { key: "ua.empty", kind: "ua-empty", arg: "", weight: 2500 },
  { key: "has.from", kind: "header-present", arg: "from", weight: 1500 },
  { key: "rate.50", kind: "request-rate", arg: "50", weight: 400 },
  { key: "rate.200", kind: "request-rate", arg: "200", weight: 600 },
  { key: "paths.over.60", kind: "distinct-paths-over", arg: "60", weight: 300 },
  { key: "errors.over.60", kind: "error-ratio-over", arg: "60", weight: 500 },
  { key: "gaps.regular", kind: "gap-variation-under", arg: "10", weight: 400 },
  { key: "path.scanner", kind: "scanner-path", arg: "", weight: 1000 },
  { key: "crawler.unverified", kind: "crawler-unverified", arg: "", weight: 3000 },
  { key: "ua.cubot", kind: "ua-contains", arg: "cubot", weight: -4500 },
  { key: "ua.opera_mini", kind: "ua-contains", arg: "opera mini/", weight: -7000 },
  { key: "ua.headlesschrome", kind: "ua-contains", arg: "headlesschrome/", weight: 8000 },
  { key: "ua.trident", kind: "ua-contains", arg: "trident/7.0", weight: -4500 },
];

const SPELLED = { "+": "plus", "/": "slash", ".": "dot", ";": "semicolon", ":": "colon", "@": "at", "(": "open", ")": "close", ",": "comma", " ": "_", "*": "any", "'": "apostrophe", "!": "bang", "^": "begin", $: "end", "-": "-", _: "_" };
const PREFIX = { "ua-contains": "ua", "header-present": "has", "header-absent": "no", "header-equals": "is", "header-contains": "with", "header-order": "order", "header-count-under": "fields.under", "ua-shorter-than": "ua.under" };

/** A key that says what the row looks at, within ^[a-z][a-z0-9_.-]{0,30}$ and used once. */
export function keyOf({ kind, arg }, taken) {
  const words = arg.replace(/[^a-z0-9]/g, (char) => (char === " " || char === "-" || char === "_" ? SPELLED[char] : `.${SPELLED[char] ?? "other"}.`));
  const base = `${PREFIX[kind] ?? kind}.${words}`.replace(/\.{2,}/g, ".").replace(/\.$/, "").slice(0, 28);
  let key = base;
  for (let n = 2; taken.has(key); n++) key = `${base}.${n}`;
  taken.add(key);
  return key;
}
