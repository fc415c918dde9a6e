//! CONNECT requests that failed, of which a client often tells only the status.

use alloc::string::String;

use super::{ProxyServiceError, answer::by_status};

/// The error behind a CONNECT that was answered with `status`; `None` if that is a success.
///
/// No header is known then, so a status that several rows of the table share gives
/// [`Unknown`](super::ProxyErrorKind::Unknown), with the action that suits the status.
pub fn read_connect_failure(status: u16) -> Option<ProxyServiceError> {
    if (200..300).contains(&status) {
        return None;
    }
    Some(ProxyServiceError {
        kind: by_status(status),
        status,
        text: String::new(),
        message: String::new(),
        retry_after: None,
    })
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
    MARKS.iter().find_map(|mark| {
        let (_, after) = message.split_once(mark)?;
        let digits = after.get(..3)?;
        let more = after.get(3..).and_then(|rest| rest.bytes().next());
        let whole = !more.is_some_and(|byte| byte.is_ascii_digit());
        let status = digits.parse().ok().filter(|status| (100..1000).contains(status));
        status.filter(|_| whole && digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
