use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use pingora_core::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;

/// Most of a refused request's body that is read, a read's size over, so that its connection can go on: a connection
/// must not be held for a bot that uploads.
pub(super) const DRAIN_BYTES: usize = 64 * 1024;
/// Most that is read after the answer, so that a client still sending can read the answer.
pub(super) const LINGER_BYTES: usize = 1024 * 1024;
/// Longest that either reading may take: a bot must not hold a connection by sending slowly.
pub(super) const READ_TIME: Duration = Duration::from_millis(500);

/// What a request that does not reach the origin is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// 403, with the operator's text.
    Forbidden,
    /// 403: the client was redirected and has not kept the cookie.
    NeedsCookies,
    /// 403: a request of this method cannot be redirected without losing what it carries.
    NeedsVisit,
    /// 429, with the seconds to wait.
    TooMany(u64),
    /// 307 to `location`, with `cookie` to set.
    Redirect { location: Vec<u8>, cookie: Option<String> },
}

impl Answer {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden | Self::NeedsCookies | Self::NeedsVisit => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Redirect { .. } => StatusCode::TEMPORARY_REDIRECT,
        }
    }

    fn body(&self, block_body: Bytes) -> Bytes {
        match self {
            Self::Forbidden => block_body,
            Self::NeedsCookies => Bytes::from_static(
                b"This site needs cookies. Allow them and load the page again.\n",
            ),
            Self::NeedsVisit => {
                Bytes::from_static(b"Load a page of this site first, with cookies allowed.\n")
            }
            Self::TooMany(_) => Bytes::from_static(b"Too many requests\n"),
            Self::Redirect { .. } => Bytes::new(),
        }
    }
}

/// Answers a request in the origin's place.
///
/// A request body must be read before its connection can carry another request, and a connection closed over unread
/// bytes is reset, which can take the answer with it. So a small body is read first, and the connection goes on; of a
/// larger or slower one as much is read after the answer, which says that the connection closes.
pub(super) async fn give(session: &mut Session, answer: &Answer, block_body: Bytes) {
    // A client that waits for 100 (Continue) sends nothing until it is answered.
    let waits = session.req_header().headers.contains_key(header::EXPECT);
    if !waits {
        read_body(session, DRAIN_BYTES).await;
    }
    if let Err(error) = write(session, answer, block_body).await {
        tracing::debug!(target: "greenlight_bot::filter", %error, "client was gone before its answer");
        session.set_keepalive(None);
        return;
    }
    read_body(session, LINGER_BYTES).await;
}

async fn write(session: &mut Session, answer: &Answer, block_body: Bytes) -> Result<()> {
    let body = answer.body(block_body);
    let mut response = ResponseHeader::build(answer.status(), Some(6))?;
    response.insert_header(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    )?;
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))?;
    response.insert_header(header::CONTENT_LENGTH, HeaderValue::from(body.len()))?;
    match answer {
        Answer::TooMany(seconds) => {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(*seconds))?;
        }
        Answer::Redirect { location, cookie } => {
            response.insert_header(header::LOCATION, location.as_slice())?;
            if let Some(cookie) = cookie {
                response.insert_header(header::SET_COOKIE, cookie.as_str())?;
            }
        }
        Answer::Forbidden | Answer::NeedsCookies | Answer::NeedsVisit => {}
    }
    session.write_response_header(Box::new(response), false).await?;
    session.write_response_body(Some(body), true).await
}

/// Reads on in the request's body, within bounds. Over HTTP/2, too: a stream may be answered early and reset without an
/// error (RFC 9113, 8.1), but there are clients that lose the answer over it.
async fn read_body(session: &mut Session, most: usize) {
    let reading = async {
        let mut read = 0_usize;
        while read < most && !session.is_body_done() {
            match session.read_request_body().await {
                Ok(Some(bytes)) => read = read.saturating_add(bytes.len()),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Past the time, what is left unread closes the connection.
    let _ = tokio::time::timeout(READ_TIME, reading).await;
}
