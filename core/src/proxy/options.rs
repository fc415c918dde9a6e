//! The request headers of the service, as types.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::{
    Cookies, DebugFields, InvalidProxyOptions, Profile, ProxyWarning, Session,
    option_names::{
        CITY, CLIENT, COOKIES, DEBUG, JOB_ID, KNOWN, MAX_RETRIES, NO_BANCHECK, PROFILE,
        PROFILE_PASS, REGION, SESSION, STATE, TIMEOUT, UA, USE_HTTPS, is_option,
    },
    region::country,
};
use crate::http::Headers;

/// The options of a proxied request: one for each request header of the service.
///
/// A value of this type can always be sent: what the service would refuse is refused when it is
/// set. Nothing is set by default, so the service's own defaults hold.
///
/// ```
/// use silkline::proxy::{Cookies, ProxyOptions, Session};
///
/// let options = ProxyOptions::new()
///     .with_session(Session::Create)?
///     .with_max_retries(2)?
///     .with_cookies(Cookies::Disable);
/// assert_eq!(options.headers().get("X-Crawlera-Session"), Some("create"));
/// assert_eq!(options.clone().with_region("us").unwrap_err().code(), "proxy_session_with_region");
/// # Ok::<(), silkline::proxy::InvalidProxyOptions>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ProxyOptions {
    pub(super) session: Option<Session>,
    pub(super) max_retries: Option<u8>,
    pub(super) timeout: Option<Duration>,
    pub(super) cookies: Option<Cookies>,
    pub(super) profile: Option<Profile>,
    pub(super) profile_pass: Vec<String>,
    pub(super) ua: Option<Profile>,
    pub(super) no_bancheck: bool,
    pub(super) region: Option<&'static str>,
    pub(super) state: Option<String>,
    pub(super) city: Option<String>,
    pub(super) job_id: Option<String>,
    pub(super) client: Option<String>,
    pub(super) debug: DebugFields,
    pub(super) use_https: bool,
    pub(super) extra: Vec<(String, String)>,
}

impl ProxyOptions {
    /// The most retries that can be asked for.
    pub const MAX_RETRIES: u8 = 5;
    /// The shortest time-out of an attempt. The service takes shorter ones for this one.
    pub const MIN_TIMEOUT: Duration = Duration::from_secs(30);
    /// The longest time-out of an attempt. The service takes longer ones for this one.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(180);

    /// No option at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the request through a session: always the same outgoing address. The service then
    /// does not retry, unless [`with_max_retries`](Self::with_max_retries) says otherwise.
    ///
    /// Refused when a region is set: "Region selection is not possible when using sessions API"
    /// (Smart Proxy Manager docs, Sessions).
    pub fn with_session(
        mut self,
        session: impl Into<Session>,
    ) -> Result<Self, InvalidProxyOptions> {
        self.session = Some(session.into());
        self.check()?;
        Ok(self)
    }

    /// Sends the request outside any session.
    #[must_use]
    pub fn without_session(self) -> Self {
        Self { session: None, ..self }
    }

    /// How many times the service itself retries, 0 to 5.
    pub fn with_max_retries(mut self, max_retries: u64) -> Result<Self, InvalidProxyOptions> {
        self.set_max_retries(max_retries)?;
        Ok(self)
    }

    /// How long the service waits for the target in each attempt, 30 to 180 seconds, sent in whole
    /// milliseconds. The service clamps other values in silence, so they are refused here.
    pub fn with_timeout(mut self, timeout: Duration) -> Result<Self, InvalidProxyOptions> {
        self.set_timeout(timeout)?;
        Ok(self)
    }

    /// What the service does with cookies. It keeps them unless told otherwise.
    #[must_use]
    pub fn with_cookies(self, cookies: Cookies) -> Self {
        Self { cookies: Some(cookies), ..self }
    }

    /// Whose browser headers the target sees. Depends on the plan unless set.
    #[must_use]
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// The names of the request's own headers that pass in spite of the profile.
    pub fn with_profile_pass(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidProxyOptions> {
        self.set_profile_pass(names.into_iter().map(Into::into).collect())?;
        Ok(self)
    }

    /// The deprecated form of [`with_profile`](Self::with_profile), ignored when both are set.
    #[must_use]
    pub fn with_ua(self, ua: Profile) -> Self {
        Self { ua: Some(ua), ..self }
    }

    /// Whether the service passes any answer on instead of looking for bans.
    #[must_use]
    pub fn with_no_bancheck(self, no_bancheck: bool) -> Self {
        Self { no_bancheck, ..self }
    }

    /// The country to leave from: a code of ISO 3166-1 alpha-2 in any case, sent in upper case.
    /// Refused when a session is set.
    pub fn with_region(mut self, region: &str) -> Result<Self, InvalidProxyOptions> {
        self.set_region(region)?;
        Ok(self)
    }

    /// The state to leave from, on residential plans.
    pub fn with_state(mut self, state: impl AsRef<str>) -> Result<Self, InvalidProxyOptions> {
        self.state = Some(text(STATE, state.as_ref())?);
        Ok(self)
    }

    /// The city to leave from, on residential plans.
    pub fn with_city(mut self, city: impl AsRef<str>) -> Result<Self, InvalidProxyOptions> {
        self.city = Some(text(CITY, city.as_ref())?);
        Ok(self)
    }

    /// A name under which the service's logs show the request.
    pub fn with_job_id(mut self, job_id: impl AsRef<str>) -> Result<Self, InvalidProxyOptions> {
        self.job_id = Some(text(JOB_ID, job_id.as_ref())?);
        Ok(self)
    }

    /// The program that sends, as `name/version`. This library names itself unless set.
    pub fn with_client(mut self, client: impl AsRef<str>) -> Result<Self, InvalidProxyOptions> {
        self.client = Some(text(CLIENT, client.as_ref())?);
        Ok(self)
    }

    /// Which debug headers the answer should have.
    #[must_use]
    pub fn with_debug(self, debug: DebugFields) -> Self {
        Self { debug, ..self }
    }

    /// Whether the service fetches an `http` target over `https`, for clients that cannot CONNECT.
    #[must_use]
    pub fn with_use_https(self, use_https: bool) -> Self {
        Self { use_https, ..self }
    }

    /// A header `X-Crawlera-*` that this library has no option for.
    pub fn with_extra(
        mut self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<Self, InvalidProxyOptions> {
        self.set_extra(name.as_ref(), value.as_ref())?;
        Ok(self)
    }

    /// Fills what is not set here from `defaults`: the options set here win.
    ///
    /// Fails only when one has a session and the other a region.
    pub fn with_defaults(mut self, defaults: &Self) -> Result<Self, InvalidProxyOptions> {
        fn fill<T: Clone>(own: &mut Option<T>, default: Option<&T>) {
            if own.is_none() {
                *own = default.cloned();
            }
        }
        fill(&mut self.session, defaults.session.as_ref());
        for (own, default) in [
            (&mut self.state, &defaults.state),
            (&mut self.city, &defaults.city),
            (&mut self.job_id, &defaults.job_id),
            (&mut self.client, &defaults.client),
        ] {
            fill(own, default.as_ref());
        }
        self.max_retries = self.max_retries.or(defaults.max_retries);
        self.timeout = self.timeout.or(defaults.timeout);
        self.cookies = self.cookies.or(defaults.cookies);
        self.profile = self.profile.or(defaults.profile);
        self.ua = self.ua.or(defaults.ua);
        self.region = self.region.or(defaults.region);
        self.no_bancheck |= defaults.no_bancheck;
        self.use_https |= defaults.use_https;
        if self.profile_pass.is_empty() {
            self.profile_pass.clone_from(&defaults.profile_pass);
        }
        if self.debug == DebugFields::default() {
            self.debug = defaults.debug;
        }
        for (name, value) in &defaults.extra {
            if !self.extra.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                self.extra.push((name.clone(), value.clone()));
            }
        }
        self.check()?;
        Ok(self)
    }

    /// The session asked for.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The service's retries asked for.
    pub fn max_retries(&self) -> Option<u8> {
        self.max_retries
    }

    /// The time-out of an attempt asked for.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What the service does with cookies.
    pub fn cookies(&self) -> Option<Cookies> {
        self.cookies
    }

    /// Whose browser headers the target sees.
    pub fn profile(&self) -> Option<Profile> {
        self.profile
    }

    /// The headers that pass in spite of the profile.
    pub fn profile_pass(&self) -> &[String] {
        &self.profile_pass
    }

    /// The deprecated form of the profile.
    pub fn ua(&self) -> Option<Profile> {
        self.ua
    }

    /// Whether bans are not looked for.
    pub fn no_bancheck(&self) -> bool {
        self.no_bancheck
    }

    /// The country to leave from, in upper case.
    pub fn region(&self) -> Option<&str> {
        self.region
    }

    /// The state to leave from.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The city to leave from.
    pub fn city(&self) -> Option<&str> {
        self.city.as_deref()
    }

    /// The name in the service's logs.
    pub fn job_id(&self) -> Option<&str> {
        self.job_id.as_deref()
    }

    /// The program that sends.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The debug headers asked for.
    pub fn debug(&self) -> DebugFields {
        self.debug
    }

    /// Whether the service turns `http` into `https`.
    pub fn use_https(&self) -> bool {
        self.use_https
    }

    /// Headers `X-Crawlera-*` that this library has no option for.
    pub fn extra(&self) -> &[(String, String)] {
        &self.extra
    }

    /// The headers of these options, spelled as the documentation does; only what is set.
    pub fn headers(&self) -> Headers {
        let mut headers = Headers::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                headers.push(name, value);
            }
        };
        let millis = self.timeout.map(|timeout| timeout.as_millis().to_string());
        put(SESSION, self.session.as_ref().map(Session::as_str));
        put(MAX_RETRIES, self.max_retries.map(|number| number.to_string()).as_deref());
        put(TIMEOUT, millis.as_deref());
        put(COOKIES, self.cookies.map(Cookies::as_str));
        put(PROFILE, self.profile.map(Profile::as_str));
        let pass = self.profile_pass.join(",");
        put(PROFILE_PASS, (!pass.is_empty()).then_some(&pass));
        put(UA, self.ua.map(Profile::as_str));
        put(NO_BANCHECK, self.no_bancheck.then_some("1"));
        put(REGION, self.region);
        put(STATE, self.state());
        put(CITY, self.city());
        put(JOB_ID, self.job_id());
        put(CLIENT, self.client());
        put(DEBUG, self.debug.as_str());
        put(USE_HTTPS, self.use_https.then_some("1"));
        for (name, value) in &self.extra {
            put(name, Some(value));
        }
        headers
    }

    /// What is allowed in these options but hardly meant.
    pub fn warnings(&self) -> Vec<ProxyWarning> {
        match (self.ua, self.profile) {
            (Some(_), Some(_)) => alloc::vec![ProxyWarning::UaIgnored],
            (Some(_), None) => alloc::vec![ProxyWarning::UaDeprecated],
            (None, _) => Vec::new(),
        }
    }

    pub(super) fn set_max_retries(&mut self, number: u64) -> Result<(), InvalidProxyOptions> {
        match u8::try_from(number) {
            Ok(small) if small <= Self::MAX_RETRIES => {
                self.max_retries = Some(small);
                Ok(())
            }
            _ => Err(InvalidProxyOptions::MaxRetries { value: number }),
        }
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) -> Result<(), InvalidProxyOptions> {
        if !(Self::MIN_TIMEOUT..=Self::MAX_TIMEOUT).contains(&timeout) {
            let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            return Err(InvalidProxyOptions::Timeout { millis });
        }
        // Whole milliseconds, so that the header says all there is.
        let millis = Duration::from_millis(u64::from(timeout.subsec_millis()));
        self.timeout = Some(Duration::from_secs(timeout.as_secs()) + millis);
        Ok(())
    }

    pub(super) fn set_profile_pass(
        &mut self,
        names: Vec<String>,
    ) -> Result<(), InvalidProxyOptions> {
        if let Some(name) = names.iter().find(|name| !is_header_name(name)) {
            return Err(InvalidProxyOptions::value(PROFILE_PASS, name, "a header name"));
        }
        self.profile_pass = names;
        Ok(())
    }

    pub(super) fn set_region(&mut self, region: &str) -> Result<(), InvalidProxyOptions> {
        self.region = country(region);
        if self.region.is_none() {
            let expected = "a country code of iso 3166-1 alpha-2";
            return Err(InvalidProxyOptions::value(REGION, region, expected));
        }
        self.check()
    }

    pub(super) fn set_extra(&mut self, name: &str, value: &str) -> Result<(), InvalidProxyOptions> {
        let known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
        if known || !is_option(name) || !is_header_name(name) {
            let header = name.chars().take(100).collect();
            return Err(InvalidProxyOptions::UnknownOption { header });
        }
        if let Some(position) = control_character(value) {
            return Err(InvalidProxyOptions::ControlCharacter { header: name.into(), position });
        }
        self.extra.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.extra.push((name.into(), value.into()));
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), InvalidProxyOptions> {
        if self.session.is_some() && self.region.is_some() {
            return Err(InvalidProxyOptions::SessionWithRegion);
        }
        Ok(())
    }
}

fn is_header_name(name: &str) -> bool {
    Headers::new().append(name, "").is_ok()
}

/// Where a value holds a character that no header value may hold.
pub(super) fn control_character(value: &str) -> Option<usize> {
    value.bytes().position(|byte| byte.is_ascii_control() && byte != b'\t')
}

/// A free text without control characters and without white space at its ends, which would be
/// lost on the way.
pub(super) fn text(header: &'static str, value: &str) -> Result<String, InvalidProxyOptions> {
    if let Some(position) = control_character(value) {
        return Err(InvalidProxyOptions::ControlCharacter { header: header.into(), position });
    }
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Err(InvalidProxyOptions::value(header, value, "a text"));
    }
    Ok(trimmed.into())
}
