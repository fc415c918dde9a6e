//! Options read back from the headers of a request.

use alloc::vec::Vec;
use core::{str::FromStr, time::Duration};

use super::options::{
    CITY, CLIENT, COOKIES, DEBUG, JOB_ID, MAX_RETRIES, NO_BANCHECK, PROFILE, PROFILE_PASS, REGION,
    SESSION, STATE, TIMEOUT, UA, USE_HTTPS, is_option,
};
use super::{Cookies, DebugFields, InvalidProxyOptions, Profile, ProxyOptions, Session, SessionId};
use crate::http::Headers;

impl ProxyOptions {
    /// Reads the options from the `X-Crawlera-*` headers of a request.
    ///
    /// Names and words count in any case. As in the service, a time-out outside 30 to 180 seconds
    /// is taken for the nearest allowed one, and any `X-Crawlera-No-Bancheck` counts. Headers of
    /// the service that this library does not know are kept as
    /// [`extra`](ProxyOptions::extra) options, other headers are passed over.
    pub fn from_headers(headers: &Headers) -> Result<Self, InvalidProxyOptions> {
        let mut options = Self::new();
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| is_option(name)) {
            let value = value.trim();
            let before = seen.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match before {
                Some((_, same)) if *same == value => continue,
                Some(_) => return Err(InvalidProxyOptions::Repeated { header: name.into() }),
                None => seen.push((name, value)),
            }
            options = options.with_header(name, value)?;
        }
        Ok(options)
    }

    fn with_header(self, name: &str, value: &str) -> Result<Self, InvalidProxyOptions> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if is(SESSION) {
            self.with_session(value.parse::<Session>()?)
        } else if is(MAX_RETRIES) {
            let number = number(value)
                .ok_or_else(|| InvalidProxyOptions::value(MAX_RETRIES, value, "a number"))?;
            self.with_max_retries(number)
        } else if is(TIMEOUT) {
            let millis = number(value).ok_or_else(|| {
                InvalidProxyOptions::value(TIMEOUT, value, "a number of milliseconds")
            })?;
            let timeout = Duration::from_millis(millis);
            self.with_timeout(timeout.clamp(Self::MIN_TIMEOUT, Self::MAX_TIMEOUT))
        } else if is(COOKIES) {
            Ok(self.with_cookies(value.parse()?))
        } else if is(PROFILE) {
            Ok(self.with_profile(profile(PROFILE, value)?))
        } else if is(PROFILE_PASS) {
            let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
            self.with_profile_pass(names)
        } else if is(UA) {
            Ok(self.with_ua(profile(UA, value)?))
        } else if is(NO_BANCHECK) {
            Ok(self.with_no_bancheck(true))
        } else if is(REGION) {
            self.with_region(value)
        } else if is(STATE) {
            self.with_state(value)
        } else if is(CITY) {
            self.with_city(value)
        } else if is(JOB_ID) {
            self.with_job_id(value)
        } else if is(CLIENT) {
            self.with_client(value)
        } else if is(DEBUG) {
            Ok(self.with_debug(value.parse()?))
        } else if is(USE_HTTPS) {
            match value {
                "0" => Ok(self),
                "1" => Ok(self.with_use_https(true)),
                _ => Err(InvalidProxyOptions::value(USE_HTTPS, value, "`1`")),
            }
        } else {
            self.with_extra(name, value)
        }
    }

    /// These options and those of another source, which must not contradict them.
    pub(super) fn agreeing_with(self, other: &Self) -> Result<Self, InvalidProxyOptions> {
        let theirs = other.headers();
        for (name, value) in self.headers().iter() {
            if theirs.get(name).is_some_and(|their| their != value) {
                return Err(InvalidProxyOptions::Contradiction { header: name.into() });
            }
        }
        self.with_defaults(other)
    }
}

fn profile(header: &'static str, value: &str) -> Result<Profile, InvalidProxyOptions> {
    let found = Profile::ALL.iter().find(|known| is_word(known.as_str(), value)).copied();
    found.ok_or_else(|| InvalidProxyOptions::value(header, value, "`pass`, `desktop` or `mobile`"))
}

fn is_word(word: &str, value: &str) -> bool {
    word.eq_ignore_ascii_case(value)
}

/// Decimal digits; a number past the range is its end.
fn number(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

impl FromStr for Cookies {
    type Err = InvalidProxyOptions;

    fn from_str(word: &str) -> Result<Self, InvalidProxyOptions> {
        let found = Self::ALL.iter().find(|known| is_word(known.as_str(), word)).copied();
        let expected = "`enable`, `disable` or `discard`";
        found.ok_or_else(|| InvalidProxyOptions::value(COOKIES, word, expected))
    }
}

impl FromStr for Profile {
    type Err = InvalidProxyOptions;

    fn from_str(word: &str) -> Result<Self, InvalidProxyOptions> {
        profile(PROFILE, word)
    }
}

impl FromStr for Session {
    type Err = InvalidProxyOptions;

    fn from_str(value: &str) -> Result<Self, InvalidProxyOptions> {
        if is_word("create", value) {
            return Ok(Self::Create);
        }
        Ok(Self::Id(SessionId::new(value)?))
    }
}

impl FromStr for DebugFields {
    type Err = InvalidProxyOptions;

    fn from_str(value: &str) -> Result<Self, InvalidProxyOptions> {
        let mut fields = Self::default();
        for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if is_word("request-time", word) {
                fields.request_time = true;
            } else if is_word("ua", word) {
                fields.ua = true;
            } else {
                let expected = "a list of `request-time` and `ua`";
                return Err(InvalidProxyOptions::value(DEBUG, value, expected));
            }
        }
        Ok(fields)
    }
}
