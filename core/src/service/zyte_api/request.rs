//! Reading a request (Zyte API reference, extract).

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use url::Url;

use super::{
    config::ZyteApiConfig,
    outcome::PageWish,
    problems::{
        ACCOUNT_SUSPENDED, DOMAIN_FORBIDDEN, INVALID, INVALID_JSON, KEY_NOT_FOUND, NOT_VALID,
        UNPROCESSABLE, detailed, named,
    },
};
use crate::{
    http::{Headers, Method, Request},
    service::{
        domains::{domain_of, host_of},
        extraction::{
            intake::{is_json, path},
            refusal::Refused,
        },
        keys::Access,
    },
};

const MAX_URL: usize = 8_192;

/// The items that can be asked for.
const ITEMS: [&str; 6] =
    ["article", "articleList", "forumThread", "jobPosting", "product", "productList"];

/// What else the service gives, but not this one.
const NOT_HERE: [&str; 11] = [
    "actions",
    "articleNavigation",
    "customAttributes",
    "jobPostingNavigation",
    "networkCapture",
    "pageContent",
    "productNavigation",
    "screenshot",
    "serp",
    "serpOptions",
    "videoCapture",
];

/// Members that change how a page is fetched or extracted, in ways that make no difference here.
const IGNORED: [&str; 33] = [
    "articleListOptions",
    "articleOptions",
    "actionsOptions",
    "cookieManagement",
    "customAttributesOptions",
    "device",
    "experimental",
    "forumThreadOptions",
    "geolocation",
    "includeIframes",
    "ipType",
    "javascript",
    "jobPostingOptions",
    "pageContentOptions",
    "productListOptions",
    "productOptions",
    "requestCookies",
    "responseCookies",
    "screenshotOptions",
    "session",
    "sessionContext",
    "sessionContextParameters",
    "tags",
    "verifyCertificate",
    "viewport",
    "articleNavigationOptions",
    "productNavigationOptions",
    "jobPostingNavigationOptions",
    "followRedirectOptions",
    "httpResponseCookies",
    "language",
    "proxy",
    "timezone",
];

/// "Can only be used in combination with `httpResponseBody`", or with an item that is made of it.
const ONLY_HTTP: [&str; 5] = [
    "customHttpRequestHeaders",
    "device",
    "httpRequestBody",
    "httpRequestMethod",
    "httpRequestText",
];

/// A request as it was read.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) host: String,
    pub(super) domain: String,
    pub(super) wish: PageWish,
    /// `echoData` as it was written.
    pub(super) echo: Option<String>,
    /// `jobId` as it was written.
    pub(super) job_id: Option<String>,
    pub(super) response_body: bool,
    pub(super) response_headers: bool,
}

impl Asked {
    /// What it is counted as.
    pub(super) fn output(&self) -> &str {
        match &self.wish.item {
            Some(item) => item,
            None if self.wish.browser_html => "browserHtml",
            None if self.response_body => "httpResponseBody",
            None => "httpResponseHeaders",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// The members of a request, each of which is taken once.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl Members<'_> {
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Refused> {
        let Some(raw) = self.0.remove(name) else { return Ok(None) };
        let value = serde_json::from_str(raw.get());
        value.map(Some).map_err(|error| detailed(INVALID, format!("{name}: {error}")))
    }

    fn flag(&mut self, name: &str) -> Result<bool, Refused> {
        Ok(self.take(name)?.unwrap_or(false))
    }

    /// What is left and says more than no.
    fn asked(&self) -> impl Iterator<Item = &str> {
        let says_no = |raw: &RawValue| matches!(raw.get(), "false" | "null" | "[]" | "{}");
        self.0.iter().filter(move |(_, raw)| !says_no(raw)).map(|(name, _)| name.as_str())
    }
}

/// What a request asks for, or why it is refused: in the order in which a server comes to know
/// what is wrong.
pub(super) fn read(config: &ZyteApiConfig, request: &Request) -> Result<Asked, Refused> {
    if path(&request.url) != "/v1/extract" {
        return Err(detailed(INVALID, "no such endpoint").with_status(404));
    }
    if request.method != Method::POST {
        let refused = detailed(INVALID, "only POST is supported").with_status(405);
        return Err(refused.with_header("Allow", "POST"));
    }
    let key = match config.keys.access(request.headers.get("Authorization")) {
        Access::Granted(key) => key,
        Access::Disabled => return Err(named(ACCOUNT_SUSPENDED)),
        Access::Unknown => return Err(challenge(KEY_NOT_FOUND)),
        Access::Missing => return Err(challenge(NOT_VALID)),
    };
    if request.body.len() > config.max_payload {
        return Err(detailed(INVALID, "the body is too large").with_status(413));
    }
    if !is_json(&request.headers) {
        let refused = detailed(INVALID, "the content type has to be application/json");
        return Err(refused.with_status(415));
    }
    let body: &RawValue =
        serde_json::from_slice(&request.body).map_err(|error| detailed(INVALID_JSON, error))?;
    if !body.get().trim_start().starts_with('{') {
        return Err(detailed(INVALID, "the body is not an object"));
    }
    let members =
        serde_json::from_str(body.get()).map_err(|error| detailed(INVALID_JSON, error))?;
    members_of(key, Members(members)).and_then(|asked| {
        if config.is_forbidden(&asked.host) { Err(named(DOMAIN_FORBIDDEN)) } else { Ok(asked) }
    })
}

fn challenge(kind: &str) -> Refused {
    named(kind).with_header("WWW-Authenticate", r#"Basic realm="Zyte API""#)
}

fn members_of(key: String, mut members: Members<'_>) -> Result<Asked, Refused> {
    let invalid = |detail: &str| detailed(INVALID, detail);
    let url: String = members.take("url")?.ok_or_else(|| invalid("url: missing"))?;
    let (url, host) = target(&url).map_err(invalid)?;
    let echo = members.0.remove("echoData").map(|raw| raw.get().to_owned());
    let job_id: Option<String> = members.take("jobId")?;
    let mut item = None;
    for name in ITEMS {
        if members.flag(name)? && item.replace(name).is_some() {
            return Err(unprocessable("only one kind of item can be asked for"));
        }
    }
    let response_body = members.flag("httpResponseBody")?;
    let response_headers = members.flag("httpResponseHeaders")?;
    let browser_html = members.flag("browserHtml")?;
    if response_body && browser_html {
        return Err(unprocessable("httpResponseBody and browserHtml exclude each other"));
    }
    check_source(&mut members, response_body, browser_html)?;
    if let Some(name) = members.asked().find(|name| NOT_HERE.contains(name)) {
        return Err(detailed(INVALID, format!("{name}: not supported here")));
    }
    if item.is_none() && !response_body && !browser_html && !response_headers {
        return Err(invalid("nothing is asked for"));
    }
    let method = match members.take::<String>("httpRequestMethod")? {
        Some(name) => name.parse().map_err(|_| invalid("httpRequestMethod: no method"))?,
        None => Method::GET,
    };
    let text: Option<String> = members.take("httpRequestText")?;
    let encoded: Option<String> = members.take("httpRequestBody")?;
    let body = match (text, encoded) {
        (Some(_), Some(_)) => {
            return Err(unprocessable("httpRequestText and httpRequestBody exclude each other"));
        }
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => {
            BASE64_STANDARD.decode(encoded).map_err(|_| invalid("httpRequestBody: not base64"))?
        }
        (None, None) => Vec::new(),
    };
    let headers = headers(&mut members)?;
    let follow_redirects = members.take("followRedirect")?.unwrap_or(true);
    let known = |name: &str| IGNORED.contains(&name) || NOT_HERE.contains(&name);
    if let Some(name) = members.0.keys().find(|name| !known(name)) {
        return Err(detailed(INVALID, format!("{name}: no such field")));
    }
    let item = item.map(ToOwned::to_owned);
    let wish = PageWish { url, method, headers, body, follow_redirects, item, browser_html };
    let domain = domain_of(&host).to_owned();
    let job_id = job_id.as_deref().map(super::machine::quoted);
    Ok(Asked { key, host, domain, wish, echo, job_id, response_body, response_headers })
}

fn unprocessable(detail: &str) -> Refused {
    detailed(UNPROCESSABLE, detail)
}

/// What belongs to one kind of request cannot be asked of the other: "Incompatible parameters were
/// found in the request" (Zyte API reference, extract, response 422).
fn check_source(
    members: &mut Members<'_>,
    response_body: bool,
    browser_html: bool,
) -> Result<(), Refused> {
    let only_http = members.0.keys().find(|name| ONLY_HTTP.contains(&name.as_str()));
    if let Some(name) = only_http.filter(|_| browser_html) {
        return Err(unprocessable(&format!("{name} and browserHtml exclude each other")));
    }
    match members.take::<String>("extractFrom")?.as_deref() {
        Some("httpResponseBody") if browser_html => {
            Err(unprocessable("extractFrom httpResponseBody and browserHtml exclude each other"))
        }
        Some("browserHtml") if response_body => {
            Err(unprocessable("extractFrom browserHtml and httpResponseBody exclude each other"))
        }
        None | Some("httpResponseBody" | "browserHtml") => Ok(()),
        Some("userHtml") => Err(detailed(INVALID, "extractFrom: userHtml is not supported here")),
        Some(_) => Err(detailed(INVALID, "extractFrom: no such source")),
    }
}

/// `customHttpRequestHeaders` is a list, `requestHeaders` an object with names in camel case.
fn headers(members: &mut Members<'_>) -> Result<Headers, Refused> {
    let mut headers = Headers::new();
    let listed: Vec<Header> = members.take("customHttpRequestHeaders")?.unwrap_or_default();
    for Header { name, value } in listed {
        headers
            .append(name, value)
            .map_err(|error| detailed(INVALID, format!("customHttpRequestHeaders: {error}")))?;
    }
    let by_name: BTreeMap<String, String> = members.take("requestHeaders")?.unwrap_or_default();
    for (name, value) in by_name {
        let mut dashed = String::new();
        for char in name.chars() {
            if char.is_ascii_uppercase() {
                dashed.push('-');
            }
            dashed.push(char);
        }
        headers
            .append(dashed, value)
            .map_err(|error| detailed(INVALID, format!("requestHeaders: {error}")))?;
    }
    Ok(headers)
}

/// The URL to fetch and its host.
fn target(text: &str) -> Result<(String, String), &'static str> {
    if text.len() > MAX_URL && text.chars().count() > MAX_URL {
        return Err("url: longer than 8192 characters");
    }
    let url = Url::parse(text).map_err(|_| "url: not an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("url: neither http nor https");
    }
    let host = host_of(&url).filter(|host| !host.is_empty()).ok_or("url: without a host")?;
    Ok((url.into(), host))
}
