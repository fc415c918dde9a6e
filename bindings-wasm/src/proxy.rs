//! `silkline::proxy`.

use silkline::{
    http::{InvalidEndpoint, Request},
    proxy::{
        self, Cookies, Leak, OptionPlace, OutgoingAddress, Profile, ProxyAnswer, ProxyDialect,
        ProxyOptions, ProxyWarning, Session, SessionId,
    },
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{
    convert::{self, Object, array, quoted},
    errors::Thrown,
};

/// Checks options, which come as a JSON array of names and words in turn and one of extra headers,
/// and gives them as a JSON object.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = proxyOptions)]
pub fn proxy_options(words: &str, extra: &str) -> Result<String, Thrown> {
    Ok(options_json(&read_options(words, extra)?))
}

/// Reads options from the headers of a request.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = proxyOptionsFromHeaders)]
pub fn proxy_options_from_headers(headers: &str) -> Result<String, Thrown> {
    Ok(options_json(&ProxyOptions::from_headers(&convert::received_headers(headers))?))
}

/// Fills options from defaults.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = proxyOptionsWithDefaults)]
pub fn proxy_options_with_defaults(
    words: &str,
    extra: &str,
    default_words: &str,
    default_extra: &str,
) -> Result<String, Thrown> {
    let defaults = read_options(default_words, default_extra)?;
    Ok(options_json(&read_options(words, extra)?.with_defaults(&defaults)?))
}

/// The headers of options, as lines.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = proxyOptionsHeaders)]
pub fn proxy_options_headers(words: &str, extra: &str) -> Result<String, Thrown> {
    Ok(convert::header_lines(&read_options(words, extra)?.headers()))
}

pub(crate) fn read_options(words: &str, extra: &str) -> Result<ProxyOptions, Thrown> {
    let words = convert::received_headers(words);
    Ok(ProxyOptions::from_words(words.iter(), &convert::received_headers(extra))?)
}

fn options_json(options: &ProxyOptions) -> String {
    let extra = options.extra().iter().map(|(name, value)| array([quoted(name), quoted(value)]));
    Object::new()
        .maybe_text("session", options.session().map(Session::as_str))
        .maybe_number("maxRetries", options.max_retries())
        .millis("timeout", options.timeout())
        .maybe_text("cookies", options.cookies().map(Cookies::as_str))
        .maybe_text("profile", options.profile().map(Profile::as_str))
        .json("profilePass", &array(options.profile_pass().iter().map(|name| quoted(name))))
        .maybe_text("ua", options.ua().map(Profile::as_str))
        .flag("noBancheck", options.no_bancheck())
        .maybe_text("region", options.region())
        .maybe_text("state", options.state())
        .maybe_text("city", options.city())
        .maybe_text("jobId", options.job_id())
        .maybe_text("client", options.client())
        .json("debug", &array(options.debug().words().map(quoted)))
        .flag("useHttps", options.use_https())
        .json("extra", &array(extra))
        .json("warnings", &warnings_json(&options.warnings()))
        .end()
}

fn warnings_json(warnings: &[ProxyWarning]) -> String {
    array(warnings.iter().map(|warning| quoted(warning.code())))
}

/// The client's side of the protocol.
#[wasm_bindgen]
pub struct ProxyApi(pub(crate) proxy::ProxyApi);

#[wasm_bindgen]
impl ProxyApi {
    /// A client for the service at an address; the core knows the default. `is_text` is false if
    /// the address held half of a surrogate pair, which does not cross. `dialect` is the index
    /// among all.
    #[wasm_bindgen(constructor)]
    pub fn new(
        api_key: &str,
        endpoint: Option<String>,
        is_text: bool,
        on_connect: bool,
        dialect: usize,
        follow_redirects: bool,
    ) -> Result<Self, Thrown> {
        let dialect = ProxyDialect::ALL.get(dialect).copied().unwrap_or_default();
        let mut api = proxy::ProxyApi::new(api_key)?
            .with_dialect(dialect)
            .with_follow_redirects(follow_redirects);
        if let Some(endpoint) = endpoint {
            if !is_text {
                return Err(InvalidEndpoint::Url { endpoint }.into());
            }
            api = api.with_endpoint(&endpoint)?;
        }
        let place = if on_connect { OptionPlace::Connect } else { OptionPlace::Inside };
        Ok(Self(api.with_option_place(place)))
    }
}

#[cfg(feature = "proxy")]
#[wasm_bindgen]
impl ProxyApi {
    /// The proxy's URL, without the key.
    #[wasm_bindgen(getter)]
    pub fn endpoint(&self) -> String {
        self.0.endpoint().into()
    }

    /// The value of `Proxy-Authorization`.
    pub fn authorization(&self) -> String {
        self.0.authorization()
    }

    /// The proxy's URL with the key as user.
    #[wasm_bindgen(js_name = endpointWithKey)]
    pub fn endpoint_with_key(&self) -> String {
        self.0.endpoint_with_key()
    }

    /// A proxied request: method, URL and header lines of the request, the same of the CONNECT if
    /// there is one, and the warnings as JSON. The body stays on the other side.
    pub fn request(
        &self,
        method: &str,
        url: &str,
        headers: &str,
        words: &str,
        extra: &str,
    ) -> Result<Vec<JsValue>, Thrown> {
        let target =
            Request::new(method.parse()?, url).with_headers(convert::received_headers(headers));
        let proxied = self.0.request(target, &read_options(words, extra)?)?;
        let mut parts = vec![warnings_json(&proxied.warnings).into()];
        parts.extend(convert::request_head(&proxied.request));
        parts.extend(proxied.connect.iter().flat_map(convert::request_head));
        Ok(parts)
    }

    /// `POST /sessions`.
    #[wasm_bindgen(js_name = createSession)]
    pub fn create_session(&self) -> Result<Vec<JsValue>, Thrown> {
        Ok(convert::request(&self.0.create_session()?))
    }

    /// `GET /sessions`.
    #[wasm_bindgen(js_name = listSessions)]
    pub fn list_sessions(&self) -> Result<Vec<JsValue>, Thrown> {
        Ok(convert::request(&self.0.list_sessions()?))
    }

    /// `DELETE /sessions/<id>`.
    #[wasm_bindgen(js_name = deleteSession)]
    pub fn delete_session(&self, session: &str) -> Result<Vec<JsValue>, Thrown> {
        Ok(convert::request(&self.0.delete_session(&SessionId::new(session)?)?))
    }

    /// Reads an answer: its facts as JSON, and the error if it is one.
    pub fn read(&self, status: u16, headers: &str, body_prefix: &[u8]) -> Vec<JsValue> {
        let answer = self.0.read(status, &convert::received_headers(headers), body_prefix);
        let error = answer.error.clone().map_or(JsValue::NULL, |error| Thrown::from(error).into());
        vec![answer_json(&answer).into(), error]
    }

    /// Reads the answer to a CONNECT: the error, or null.
    #[wasm_bindgen(js_name = readConnect)]
    pub fn read_connect(&self, status: u16, headers: &str, body_prefix: &[u8]) -> JsValue {
        let headers = convert::received_headers(headers);
        let error = self.0.read_connect(status, &headers, body_prefix);
        error.map_or(JsValue::NULL, |error| Thrown::from(error).into())
    }

    /// Reads the answer to `createSession`.
    #[wasm_bindgen(js_name = readCreatedSession)]
    pub fn read_created_session(
        &self,
        status: u16,
        headers: &str,
        body: &[u8],
    ) -> Result<String, Thrown> {
        let headers = convert::received_headers(headers);
        Ok(self.0.read_created_session(status, &headers, body)?.as_str().into())
    }

    /// Reads the answer to `listSessions`, as JSON.
    #[wasm_bindgen(js_name = readSessionList)]
    pub fn read_session_list(
        &self,
        status: u16,
        headers: &str,
        body: &[u8],
    ) -> Result<String, Thrown> {
        let headers = convert::received_headers(headers);
        let list = self.0.read_session_list(status, &headers, body)?;
        let sessions = list.sessions.iter().map(|(id, address)| {
            let address = address.as_ref().map_or("null".into(), |it| quoted(it.as_str()));
            array([quoted(id.as_str()), address])
        });
        let duplicates = list.duplicates.iter().map(|id| quoted(id.as_str()));
        Ok(Object::new()
            .json("sessions", &array(sessions))
            .json("duplicates", &array(duplicates))
            .end())
    }

    /// Reads the answer to `deleteSession`.
    #[wasm_bindgen(js_name = readDeletedSession)]
    pub fn read_deleted_session(
        &self,
        status: u16,
        headers: &str,
        body: &[u8],
    ) -> Result<(), Thrown> {
        Ok(self.0.read_deleted_session(status, &convert::received_headers(headers), body)?)
    }

    /// Finds what must not leave on a request that will not be proxied, as JSON.
    pub fn leaks(&self, method: &str, url: &str, headers: &str) -> Result<String, Thrown> {
        let headers = convert::received_headers(headers);
        Ok(leaks_json(&self.0.leaks(&Request::new(method.parse()?, url).with_headers(headers))))
    }

    /// URL and headers of a request without what `leaks` finds, as JSON.
    #[wasm_bindgen(js_name = stripLeaks)]
    pub fn strip_leaks(&self, method: &str, url: &str, headers: &str) -> Result<String, Thrown> {
        let headers = convert::received_headers(headers);
        let request = Request::new(method.parse()?, url).with_headers(headers);
        let request = self.0.strip_leaks(request);
        let pairs =
            request.headers.iter().map(|(name, value)| array([quoted(name), quoted(value)]));
        Ok(Object::new().text("url", &request.url).json("headers", &array(pairs)).end())
    }
}

fn answer_json(answer: &ProxyAnswer) -> String {
    let outgoing = answer.outgoing.as_ref();
    let port = outgoing.and_then(OutgoingAddress::port);
    Object::new()
        .text("origin", answer.origin.as_str())
        .maybe_text("session", answer.session.as_ref().map(SessionId::as_str))
        .maybe_text("outgoing", outgoing.map(OutgoingAddress::as_str))
        .maybe_text("outgoingHost", outgoing.map(OutgoingAddress::host).as_deref())
        .maybe_number("outgoingPort", port)
        .maybe_text("version", answer.version.as_deref())
        .millis("nextRequestIn", answer.next_request_in)
        .millis("retryAfter", answer.retry_after)
        .millis("debugRequestTime", answer.debug_request_time)
        .maybe_text("debugUa", answer.debug_ua.as_deref())
        .flag("billed", answer.billed())
        .end()
}

fn leaks_json(leaks: &[Leak]) -> String {
    array(
        leaks.iter().map(|leak| {
            Object::new().text("name", &leak.name).text("kind", leak.kind.as_str()).end()
        }),
    )
}

/// Finds the headers that must not reach a target, as JSON.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = proxyLeaks)]
pub fn proxy_leaks(headers: &str) -> String {
    leaks_json(&proxy::proxy_leaks(&convert::received_headers(headers)))
}

/// The error behind a CONNECT of which only the status is known, or null.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = readConnectFailure)]
pub fn read_connect_failure(status: u16) -> JsValue {
    proxy::read_connect_failure(status).map_or(JsValue::NULL, |error| Thrown::from(error).into())
}

/// The status of a failed CONNECT in an HTTP client's error message.
#[cfg(feature = "proxy")]
#[wasm_bindgen(js_name = connectStatus)]
pub fn connect_status(message: &str) -> Option<u16> {
    proxy::connect_status(message)
}
