//! Answers that no target can have given: to CONNECT, of which a client often tells only the
//! status, and to the calls of the sessions API.

use alloc::string::String;

use super::{
    ProxyDialect, ProxyServiceError,
    answer::{by_status, detail, read},
    successor,
};
use crate::{
    http::{Headers, retry_after},
    problem::Problem,
};

/// The error in an answer that no target can have given; `None` if it is a success.
pub(super) fn read_connect(
    dialect: ProxyDialect,
    status: u16,
    headers: &Headers,
    body_prefix: &[u8],
) -> Option<ProxyServiceError> {
    let named = read(status, headers, body_prefix).error;
    if named.is_some() || (200..300).contains(&status) {
        return named;
    }
    let problem = Problem::read(body_prefix).ok();
    let problem_type = problem.as_ref().and_then(Problem::problem_type);
    let kind = match (problem_type, dialect) {
        (Some(problem_type), _) => successor::kind(problem_type, status),
        (None, ProxyDialect::ZyteApi) => successor::by_status(status),
        (None, ProxyDialect::SmartProxyManager) => by_status(status),
    };
    Some(ProxyServiceError {
        kind,
        status,
        text: problem_type.map(String::from).unwrap_or_default(),
        detail: detail(body_prefix),
        retry_after: retry_after(headers),
    })
}

/// The error behind a CONNECT of which only the status is known; `None` if that is a success.
///
/// A status that several rows of the table share gives
/// [`Unknown`](super::ProxyErrorKind::Unknown), with the action that suits the status. If the
/// options were on the CONNECT, a 400 most often means a dead session.
pub fn read_connect_failure(status: u16) -> Option<ProxyServiceError> {
    read_connect(ProxyDialect::default(), status, &Headers::new(), b"")
}

/// What comes before the status in the messages of the clients that hide the answer to a CONNECT.
const MARKS: [&str; 6] = [
    "'status': ",                 // Scrapy (Twisted): "Could not open CONNECT tunnel …"
    "tunnel connection failed: ", // Python's http.client, so urllib3 and requests
    "connect tunnel failed, response ", // curl
    "received http code ",        // older curl
    "proxy response (",           // undici
    "clienthttpproxyerror: ",     // aiohttp, as shown by traceback
];

/// Reads the status of a failed CONNECT out of an HTTP client's error message, for clients that
/// give nothing else.
///
/// ```
/// use silkline::proxy::connect_status;
/// let scrapy = "Could not open CONNECT tunnel with proxy 127.0.0.1:8011 \
///     [{'status': 407, 'reason': b'Proxy Authentication Required'}]";
/// assert_eq!(connect_status(scrapy), Some(407));
/// let requests = "OSError('Tunnel connection failed: 503 Service Unavailable')";
/// assert_eq!(connect_status(requests), Some(503));
/// assert_eq!(connect_status("connection refused"), None);
/// ```
pub fn connect_status(message: &str) -> Option<u16> {
    let message = message.to_ascii_lowercase();
    // httpx: "407 Proxy Authentication Required"; aiohttp: "407, message='Proxy …'".
    let leading =
        status_at(&message).filter(|_| matches!(message.as_bytes().get(3), Some(b' ' | b',')));
    leading
        .or_else(|| MARKS.iter().find_map(|mark| status_at(message.split_once(mark)?.1)))
        .filter(|status| *status >= 400)
}

/// A number of three digits that a text begins with.
fn status_at(text: &str) -> Option<u16> {
    let digits = text.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let longer = text.as_bytes().get(3).is_some_and(u8::is_ascii_digit);
    if longer { None } else { digits.parse().ok() }
}
