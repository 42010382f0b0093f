//! Header fields by the letters that `header-order` rows call them by.

/// The letter of each field in the word that stands for the order of a request's header fields, as `header-order` rows
/// ask for it; [`crate::source`] says how the word is made.
///
/// The names are those that browsers, libraries and tools differ in: which they send, and in which order. They never
/// change their letter within engine 1.
pub const HEADER_ORDER_CODES: [(u8, &str); 36] = [
    (b'a', "accept"),
    (b'b', "sec-ch-ua"),
    (b'c', "connection"),
    (b'd', "sec-fetch-dest"),
    (b'e', "accept-encoding"),
    (b'f', "sec-fetch-mode"),
    (b'g', "upgrade-insecure-requests"),
    (b'h', "host"),
    (b'i', "if-none-match"),
    (b'j', "if-modified-since"),
    (b'k', "cookie"),
    (b'l', "accept-language"),
    (b'm', "sec-ch-ua-mobile"),
    (b'n', "dnt"),
    (b'o', "origin"),
    (b'p', "sec-ch-ua-platform"),
    (b'q', "priority"),
    (b'r', "referer"),
    (b's', "sec-fetch-site"),
    (b't', "te"),
    (b'u', "user-agent"),
    (b'v', "sec-fetch-user"),
    (b'w', "x-requested-with"),
    (b'x', "sec-gpc"),
    (b'y', "content-type"),
    (b'z', "content-length"),
    (b'0', "alt-used"),
    (b'1', "accept-charset"),
    (b'2', "cache-control"),
    (b'3', "pragma"),
    (b'4', "range"),
    (b'5', "authorization"),
    (b'6', "from"),
    (b'7', "upgrade"),
    (b'8', "transfer-encoding"),
    (b'9', "expect"),
];

/// What stands in the word for a field without a letter of its own.
pub const HEADER_ORDER_OTHER: u8 = b'.';

/// The most fields that the word tells. It is cut behind them, and then has no `$`.
pub const HEADER_ORDER_MOST: usize = 62;

/// Fields that proxies and content delivery networks add on the way: they say nothing of the client, and so do not
/// count for `header-order`, `header-count-over`, `header-count-under`, `header-longer-than` and `header-repeated`.
pub const FORWARDING_FIELDS: [&str; 22] = [
    "cdn-loop",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-ipcountry",
    "cf-ray",
    "cf-visitor",
    "cloudfront-viewer-address",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-amz-cf-id",
    "x-amzn-trace-id",
    "x-client-ip",
    "x-forwarded-by",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "x-request-id",
];
