//! Requests through the proxy, and the calls of the sessions API.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use url::Url;

use super::{
    Cookies, InvalidProxiedRequest, InvalidProxyOptions, Leak, LeakKind, ProxyAnswer, ProxyDialect,
    ProxyOptions, ProxyServiceError, ProxySessionList, ProxyWarning, SessionCallFailed, SessionId,
    answer, connect, leak,
    option_names::{CLIENT, is_option},
    session_calls, successor,
    target::{Target, percent_encode},
};
use crate::{
    VERSION,
    http::{ApiKey, Endpoint, Headers, InvalidApiKey, InvalidEndpoint, Method, Request},
};

/// Where the service listens. Port 8014 of the same host speaks TLS to the proxy itself.
pub const DEFAULT_ENDPOINT: &str = "http://proxy.zyte.com:8011";

/// The most bytes that the headers of a request may have in all: the service answers 413 to more.
pub const MAX_HEADERS_SIZE: usize = 100 * 1024;

/// Where the options of a request to an https target go. The service reads both.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OptionPlace {
    /// On the request inside the tunnel, as Scrapy, requests and curl do.
    #[default]
    Inside,
    /// On the CONNECT request, as clients do that cannot add headers inside.
    Connect,
}

impl OptionPlace {
    /// Finds a place by its name: `inside` or `connect`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "inside" => Some(Self::Inside),
            "connect" => Some(Self::Connect),
            _ => None,
        }
    }
}

/// A request as it goes through the proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxiedRequest {
    /// For an https target, what opens the tunnel: its URL is `host:port`. `None` for a plain
    /// target.
    pub connect: Option<Request>,
    /// The request itself. For a plain target it goes to the proxy in absolute form, with the
    /// authorization; for an https target it goes through the tunnel, without.
    pub request: Request,
    /// What is allowed but hardly meant.
    pub warnings: Vec<ProxyWarning>,
}

/// Builds requests to the service and reads its answers.
///
/// ```
/// use silkline::{http::{Method, Request}, proxy::{ProxyApi, ProxyOptions, Session}};
///
/// let api = ProxyApi::new("key")?;
/// let options = ProxyOptions::new().with_session(Session::Create)?;
/// let proxied = api.request(Request::new(Method::GET, "https://example.com/a"), &options)?;
/// let connect = proxied.connect.unwrap();
/// assert_eq!(connect.url, "example.com:443");
/// assert_eq!(connect.headers.get("Proxy-Authorization"), Some("Basic a2V5Og=="));
/// assert_eq!(proxied.request.headers.get("X-Crawlera-Session"), Some("create"));
/// assert_eq!(proxied.request.headers.get("Proxy-Authorization"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct ProxyApi {
    key: ApiKey,
    key_text: String,
    /// Where the service listens, if not where it always does.
    endpoint: Option<String>,
    place: OptionPlace,
    dialect: ProxyDialect,
    follow_redirects: bool,
}

impl ProxyApi {
    /// The service at [`DEFAULT_ENDPOINT`] with a key.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidApiKey> {
        let key_text = key.into();
        Ok(Self {
            key: ApiKey::new(key_text.clone())?,
            key_text,
            endpoint: None,
            place: OptionPlace::default(),
            dialect: ProxyDialect::default(),
            follow_redirects: false,
        })
    }

    /// The service elsewhere: `http://host:port`, `https://host:port`, or `host:port` for http.
    pub fn with_endpoint(self, endpoint: &str) -> Result<Self, InvalidEndpoint> {
        Ok(Self { endpoint: Some(checked_endpoint(endpoint)?), ..self })
    }

    /// The same through another service. Defaults to [`ProxyDialect::SmartProxyManager`].
    #[must_use]
    pub fn with_dialect(self, dialect: ProxyDialect) -> Self {
        Self { dialect, ..self }
    }

    /// The service that requests go through.
    pub const fn dialect(&self) -> ProxyDialect {
        self.dialect
    }

    /// Whether the service follows redirects, if it can. Defaults to no, as Smart Proxy Manager,
    /// which cannot.
    #[must_use]
    pub fn with_follow_redirects(self, follow: bool) -> Self {
        Self { follow_redirects: follow, ..self }
    }

    /// Whether the service follows redirects.
    pub const fn follow_redirects(&self) -> bool {
        self.follow_redirects && matches!(self.dialect, ProxyDialect::ZyteApi)
    }

    /// Where the options of requests to https targets go. Defaults to
    /// [`OptionPlace::Inside`].
    #[must_use]
    pub fn with_option_place(self, place: OptionPlace) -> Self {
        Self { place, ..self }
    }

    /// Where the options of requests to https targets go.
    pub const fn option_place(&self) -> OptionPlace {
        self.place
    }

    /// The proxy's URL, without key.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or(self.dialect.default_endpoint())
    }

    /// The value of `Proxy-Authorization`. A secret.
    pub fn authorization(&self) -> String {
        self.key.basic()
    }

    /// The proxy's URL with the key as user, for clients that take it in no other way. A secret.
    pub fn endpoint_with_key(&self) -> String {
        let (scheme, rest) = self.endpoint().split_once("://").unwrap_or(("http", self.endpoint()));
        format!("{scheme}://{}:@{rest}", percent_encode(&self.key_text))
    }

    /// A request to a target as it goes through the proxy.
    ///
    /// The target's URL loses its fragment; its user and password become `Authorization`, unless
    /// the request has one. `X-Crawlera-*` headers of the target's request count as options, and
    /// must not contradict those given. `Proxy-Authorization` is the key's alone and never goes
    /// inside a tunnel. Of Zyte API's own headers, those that the request has already count.
    pub fn request(
        &self,
        target: Request,
        options: &ProxyOptions,
    ) -> Result<ProxiedRequest, InvalidProxiedRequest> {
        let place = Target::parse(&target.url)?;
        let options = ProxyOptions::from_headers(&target.headers)?.agreeing_with(options)?;
        let mut warnings = Vec::new();
        let mut inside = Headers::new();
        for (name, value) in target.headers {
            if !is_option(&name) && !name.eq_ignore_ascii_case("Proxy-Authorization") {
                inside.append(name, value)?;
            }
        }
        let is_old = self.dialect == ProxyDialect::SmartProxyManager;
        if is_old && inside.contains("Cookie") && options.cookies() != Some(Cookies::Disable) {
            warnings.push(ProxyWarning::CookieDropped);
        }
        if let Some(authorization) = place.authorization
            && !inside.contains("Authorization")
        {
            inside.push("Authorization", authorization);
        }
        if self.shows_key(&place.url) || inside.iter().any(|(_, value)| self.shows_key(value)) {
            warnings.push(ProxyWarning::KeyExposed);
        }
        warnings.extend(options.warnings());
        let (mut sent, client_header) = if is_old {
            (options.headers(), CLIENT)
        } else {
            let (sent, unmapped) = successor::headers(&options, self.follow_redirects)?;
            warnings.extend(unmapped);
            (sent, successor::CLIENT)
        };
        if options.client().is_none() {
            sent.push(client_header, client());
        }
        // Headers of the newer service that the request has already.
        for (name, value) in inside.iter().filter(|_| !is_old) {
            if sent.get(name).is_some_and(|own| own != value) {
                let header = name.into();
                return Err(InvalidProxyOptions::Contradiction { header }.into());
            }
            sent.remove(name);
        }
        let mut outside = Headers::new();
        outside.push("Proxy-Authorization", self.authorization());
        let connect = place.tunnel.map(|authority| Request::new(Method::CONNECT, authority));
        let on_connect = connect.is_some() && self.place == OptionPlace::Connect;
        let bearer = if on_connect { &mut outside } else { &mut inside };
        for (name, value) in sent.iter() {
            bearer.push(name, value);
        }
        if connect.is_none() {
            for (name, value) in outside.iter() {
                inside.push(name, value);
            }
        }
        let size = inside.wire_size().max(outside.wire_size());
        if size > MAX_HEADERS_SIZE {
            return Err(InvalidProxiedRequest::HeadersTooLarge { size });
        }
        Ok(ProxiedRequest {
            connect: connect.map(|connect| connect.with_headers(outside)),
            request: Request::new(target.method, place.url)
                .with_headers(inside)
                .with_body(target.body),
            warnings,
        })
    }

    /// Reads the answer to a CONNECT; `None` if the tunnel is open. No target can have answered
    /// it, so what has no code is judged by its status.
    pub fn read_connect(
        &self,
        status: u16,
        headers: &Headers,
        body_prefix: &[u8],
    ) -> Option<ProxyServiceError> {
        connect::read_connect(self.dialect, status, headers, body_prefix)
    }

    /// `POST /sessions`: asks for a new session. Zyte API has no such calls.
    pub fn create_session(&self) -> Result<Request, InvalidProxyOptions> {
        self.has_calls(&Method::POST).map(|()| self.call(Method::POST, None))
    }

    /// `GET /sessions`: asks for the sessions of the account. Zyte API has no such calls.
    pub fn list_sessions(&self) -> Result<Request, InvalidProxyOptions> {
        self.has_calls(&Method::GET).map(|()| self.call(Method::GET, None))
    }

    /// `DELETE /sessions/<id>`: ends a session. Zyte API has no such calls.
    pub fn delete_session(&self, id: &SessionId) -> Result<Request, InvalidProxyOptions> {
        self.has_calls(&Method::DELETE).map(|()| self.call(Method::DELETE, Some(id)))
    }

    /// Reads the head of an answer to a proxied request, and of an error's body the beginning.
    ///
    /// Whatever the status, an answer without `X-Crawlera-Error` or `Zyte-Error-Type` (both are
    /// understood in any dialect) is the target's and a successful
    /// fetch, but for two errors that a proxy may send without a code: 407, and 413 of a request
    /// that no outgoing node has passed on.
    pub fn read(&self, status: u16, headers: &Headers, body_prefix: &[u8]) -> ProxyAnswer {
        answer::read(status, headers, body_prefix)
    }

    /// Reads the answer to [`create_session`](Self::create_session): the bare id as plain text.
    pub fn read_created_session(
        &self,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<SessionId, SessionCallFailed> {
        session_calls::read_created(status, headers, body)
    }

    /// Reads the answer to [`list_sessions`](Self::list_sessions).
    pub fn read_session_list(
        &self,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<ProxySessionList, SessionCallFailed> {
        session_calls::read_list(status, headers, body)
    }

    /// Reads the answer to [`delete_session`](Self::delete_session).
    pub fn read_deleted_session(
        &self,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<(), SessionCallFailed> {
        session_calls::read_deleted(status, headers, body)
    }

    /// Finds what must not leave on a request that will not be proxied: what
    /// [`proxy_leaks`](super::proxy_leaks) finds, and the key in any header or in the URL.
    pub fn leaks(&self, request: &Request) -> Vec<Leak> {
        let mut found = leak::proxy_leaks(&request.headers);
        for (name, value) in request.headers.iter() {
            let known = found.iter().any(|leak| leak.name == name);
            if !known && self.shows_key(value) {
                found.push(Leak { name: name.into(), kind: LeakKind::Key });
            }
        }
        if self.shows_key(&request.url) {
            found.push(Leak { name: "url".into(), kind: LeakKind::Key });
        }
        found
    }

    /// The same request without what [`leaks`](Self::leaks) finds. A key in the URL is taken out
    /// if it stands there as user; elsewhere the URL stays as it is.
    pub fn strip_leaks(&self, mut request: Request) -> Request {
        let kept = leak::strip_proxy_leaks(request.headers).into_iter();
        request.headers = Headers::from_received(kept.filter(|(_, value)| !self.shows_key(value)));
        if self.shows_key(&request.url)
            && let Ok(mut url) = Url::parse(&request.url)
            && url.set_username("").is_ok()
            && url.set_password(None).is_ok()
        {
            request.url = url.into();
        }
        request
    }

    fn has_calls(&self, method: &Method) -> Result<(), InvalidProxyOptions> {
        if self.dialect == ProxyDialect::SmartProxyManager {
            return Ok(());
        }
        let reason = "sessions are neither made nor listed nor deleted there";
        let value = method.as_str().into();
        Err(InvalidProxyOptions::Unsupported { header: "/sessions", value, reason })
    }

    /// A call of the sessions API, as Smart Proxy Manager has it.
    pub(crate) fn call(&self, method: Method, id: Option<&SessionId>) -> Request {
        let path = id.map(|id| format!("/{}", percent_encode(id.as_str()))).unwrap_or_default();
        let mut headers = Headers::new();
        headers.push("Authorization", self.authorization());
        headers.push(CLIENT, client());
        Request::new(method, format!("{}/sessions{path}", self.endpoint())).with_headers(headers)
    }

    /// Whether a text holds the key: as Basic credentials, as user of a URL, or, if the key is long
    /// enough not to be found by chance, anywhere.
    fn shows_key(&self, text: &str) -> bool {
        let basic = self.key.basic();
        let encoded = basic.strip_prefix("Basic ").unwrap_or(&basic);
        let escaped = percent_encode(&self.key_text);
        text.contains(encoded)
            || [&escaped, &self.key_text].iter().any(|key| {
                text.contains(&format!("//{key}:")) || text.contains(&format!("//{key}@"))
            })
            || (self.key_text.len() >= 16 && text.contains(&self.key_text))
    }
}

impl fmt::Debug for ProxyApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyApi")
            .field("key", &self.key)
            .field("endpoint", &self.endpoint())
            .field("place", &self.place)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

fn client() -> String {
    format!("silkline/{VERSION}")
}

/// A proxy's address in its shortest form: the path of the sessions API comes after it.
fn checked_endpoint(text: &str) -> Result<String, InvalidEndpoint> {
    let text = text.trim();
    let full = if text.contains("://") { text.into() } else { format!("http://{text}") };
    let endpoint = Endpoint::new(full)?;
    let invalid = || InvalidEndpoint::Url { endpoint: endpoint.as_str().into() };
    let url = Url::parse(endpoint.as_str()).map_err(|_| invalid())?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidEndpoint::NotOrigin { endpoint: endpoint.as_str().into() });
    }
    let host = url.host_str().ok_or_else(invalid)?;
    Ok(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_key() {
        let api = ProxyApi::new("topsecret").unwrap();
        let target = Request::new(Method::GET, "https://a/");
        let proxied = api.request(target, &ProxyOptions::new()).unwrap();
        let shown = format!("{api:?} {proxied:?} {:?}", api.create_session().unwrap());
        assert!(shown.contains("[redacted]"), "{shown}");
        assert!(!shown.contains("topsecret") && !shown.contains("dG9wc2Vjc"), "{shown}");
    }
}
