// Turns user agents into whole requests. The header sets of browsers are header-generator's; those of bots are assumed
// (see README.md, "What is real and what is assumed").
import { HeaderGenerator } from "header-generator";
import { LIBRARIES, OF_CRAWLERS } from "./libraries.mjs";
import { unit, withSeededRandom } from "./prng.mjs";

const generator = new HeaderGenerator();
const PATHS = ["/", "/about", "/products/42", "/news/2026/11/opening-hours", "/search?q=lamp&page=2"];
const RESOURCES = ["/static/app.js", "/img/logo.png", "/api/items?limit=20", "/fonts/text.woff2"];
// Documentation addresses (RFC 5737): no row reads them.
const NETWORKS = ["192.0.2.", "198.51.100.", "203.0.113."];

/** Which of header-generator's browsers, devices and systems a user agent belongs to. */
function profileOf(ua) {
  const system = /iPhone|iPad/.test(ua) ? "ios" : /Android/.test(ua) ? "android" : /Windows/.test(ua) ? "windows" : /Mac OS X/.test(ua) ? "macos" : "linux";
  const device = system === "ios" || system === "android" ? "mobile" : "desktop";
  const edge = /Edg[A]?\/(\d+)/.exec(ua);
  const firefox = /Firefox\/(\d+)/.exec(ua);
  const chrome = /(?:Chrome|CriOS)\/(\d+)/.exec(ua);
  const safari = /Version\/(\d+)[.\d]* (?:Mobile\/\w+ )?Safari/.exec(ua);
  const [name, match] = edge ? ["edge", edge] : firefox ? ["firefox", firefox] : chrome ? ["chrome", chrome] : /AppleWebKit/.test(ua) ? ["safari", safari] : ["chrome", null];
  return { name, major: match ? Number(match[1]) : null, system: name === "firefox" && system === "ios" ? "android" : system, device };
}

/** A header set of the same browser, device and system; of the same major version when the network knows it. */
function browserHeaders(ua, httpVersion, language, seed) {
  const { name, major, system, device } = profileOf(ua);
  const base = { devices: [device], httpVersion, locales: localesOf(language), strict: true };
  const exact = major === null ? [] : [{ ...base, browsers: [{ name, minVersion: major, maxVersion: major }], operatingSystems: [system] }];
  const attempts = [...exact, { ...base, browsers: [{ name }], operatingSystems: [system] }, { ...base, browsers: [{ name }] }];
  return withSeededRandom(seed, () => {
    for (const options of attempts) {
      try {
        return eachOnce(Object.entries(generator.getHeaders(options)));
      } catch (error) {
        if (!/No headers based on this input/.test(error.message)) throw error;
      }
    }
    throw new Error(`header-generator has no header set for ${ua}`);
  });
}

/** header-generator at times emits one header in HTTP/1.1 and again in HTTP/2 spelling; a browser sends it once. */
function eachOnce(headers) {
  const seen = new Set();
  return headers.filter(([name]) => !seen.has(lower(name)) && seen.add(lower(name)));
}

function localesOf(language) {
  const base = language.split("-")[0];
  return base === language ? [language] : [language, base];
}

function withUserAgent(headers, ua) {
  return headers.map(([name, value]) => [name, name.toLowerCase() === "user-agent" ? ua : value]);
}

// Browsers whose brand list names another brand than Chrome's.
const BRANDS = [[/Edg[A]?\/(\d+)/, "Microsoft Edge"], [/OPR\/(\d+)/, "Opera"], [/SamsungBrowser\/(\d+)/, "Samsung Internet"]];
const FIRST_WITH_HINTS = 89;

/**
 * Client hints that say what the user agent says (User-Agent Client Hints, section 3): the set is that of another version
 * of the browser at times. A user agent that is no Chromium's, or one from before hints, sends none.
 */
function withHints(headers, ua) {
  const chromium = /Chrome\/(\d+)/.exec(ua);
  if (chromium === null || Number(chromium[1]) < FIRST_WITH_HINTS) return headers.filter(([name]) => !lower(name).startsWith("sec-ch-"));
  const own = BRANDS.map(([pattern, brand]) => [pattern.exec(ua), brand]).find(([match]) => match !== null);
  const [version, brand] = own ? [own[0][1], own[1]] : [chromium[1], "Google Chrome"];
  const { system } = profileOf(ua);
  const platform = { windows: "Windows", macos: "macOS", android: "Android", linux: /CrOS/.test(ua) ? "Chrome OS" : "Linux" }[system];
  const hints = {
    "sec-ch-ua": `"Not:A-Brand";v="24", "Chromium";v="${chromium[1]}", "${brand}";v="${version}"`,
    "sec-ch-ua-mobile": /Mobile/.test(ua) ? "?1" : "?0",
    "sec-ch-ua-platform": `"${platform}"`,
  };
  const missing = Object.entries(hints).filter(([name]) => !headers.some(([other]) => lower(other) === name));
  return [...missing, ...headers.map(([name, value]) => [name, hints[lower(name)] ?? value])];
}

const lower = (name) => name.toLowerCase();
const SECURE_ONLY = /^(sec-fetch-|sec-ch-)/;

/** What a page's own requests look like next to the navigation: Fetch standard, sections 2.2.5 and 5 (request mode, Accept). */
function asSubresource(headers) {
  return headers
    .filter(([name]) => !["upgrade-insecure-requests", "sec-fetch-user"].includes(lower(name)))
    .map(([name, value]) => {
      const key = lower(name);
      if (key === "accept") return [name, "*/*"];
      if (key === "sec-fetch-mode") return [name, "cors"];
      if (key === "sec-fetch-dest") return [name, "empty"];
      if (key === "sec-fetch-site") return [name, "same-origin"];
      return [name, value];
    });
}

/** Without TLS a browser sends neither fetch metadata nor client hints (both are for trustworthy URLs only). */
const asPlaintext = (headers) => headers.filter(([name]) => !SECURE_ONLY.test(lower(name))).map(([name, value]) => [name, lower(name) === "accept-encoding" ? "gzip, deflate" : value]);

const VIEWS = {
  "page-h2": { httpVersion: "2", paths: PATHS, change: (headers) => headers },
  "page-h1": { httpVersion: "1", paths: PATHS, change: (headers) => headers },
  "subresource-h2": { httpVersion: "2", paths: RESOURCES, change: asSubresource },
  "subresource-h1": { httpVersion: "1", paths: RESOURCES, change: asSubresource },
  "page-plaintext": { httpVersion: "1", paths: PATHS, change: asPlaintext },
  "subresource-plaintext": { httpVersion: "1", paths: RESOURCES, change: (headers) => asPlaintext(asSubresource(headers)) },
};
export const VIEW_NAMES = Object.keys(VIEWS);

const HOST = ["Host", "www.example.com"];

function place(seed, paths) {
  const at = (list, what) => list[Math.floor(unit(seed, what) * list.length)];
  return { method: "GET", path: at(paths, "path"), client: at(NETWORKS, "network") + (1 + Math.floor(unit(seed, "host") * 254)) };
}

/** A browser's request in one of the views above. */
export function browserRequest({ ua, language = "en-US" }, view, seed) {
  const { httpVersion, paths, change } = VIEWS[view];
  const tls = !view.endsWith("-plaintext");
  const key = `${seed}:${view}:${ua}`;
  const { method, path, client } = place(key, paths);
  const headers = change(withHints(withUserAgent(browserHeaders(ua, httpVersion, language, key), ua), ua));
  return httpVersion === "2"
    ? { method, path, version: "2", client, tls, headers }
    : { method, path, version: "1.1", client, ...(tls ? { tls } : {}), headers: [HOST, ...headers] };
}

/** A bot's request with the few headers of an HTTP library. */
export function libraryRequest(ua, seed) {
  const key = `${seed}:library:${ua}`;
  return requestOf(OF_CRAWLERS[Math.floor(unit(key, "library") * OF_CRAWLERS.length)], ua, key);
}

/** A request of a library that was told nothing but a browser's user agent, over TLS as most are. */
export function imitatorRequest(library, ua, seed) {
  return { ...requestOf(library, ua, `${seed}:${library}:${ua}`), tls: true };
}

function requestOf(library, ua, key) {
  const { method, path, client } = place(key, PATHS);
  return { method, path, version: "1.1", client, headers: LIBRARIES[library](ua) };
}

/** The worst case for a filter: a bot that says who it is, yet sends a browser's whole header set. */
export function disguisedRequest(ua, seed) {
  return browserRequest({ ua }, unit(seed, `view:${ua}`) < 0.5 ? "page-h2" : "page-h1", `${seed}:disguised`);
}

/** One unmodified header set of Chrome on Windows over HTTP/1.1, as header-generator gives it. */
export function chromeHeaders(seed) {
  const options = { browsers: [{ name: "chrome", minVersion: 147, maxVersion: 147 }], devices: ["desktop"], operatingSystems: ["windows"], httpVersion: "1", locales: ["en-US", "en"], strict: true };
  return withSeededRandom(seed, () => Object.entries(generator.getHeaders(options)));
}
