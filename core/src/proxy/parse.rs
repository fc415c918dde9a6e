//! Options read back from the headers of a request.

use alloc::vec::Vec;
use core::{str::FromStr, time::Duration};

use super::{
    Cookies, DebugFields, InvalidProxyOptions, Profile, ProxyOptions, Session, SessionId,
    option_names::{
        CITY, CLIENT, COOKIES, DEBUG, JOB_ID, KNOWN, MAX_RETRIES, NAMES, NO_BANCHECK, PROFILE,
        PROFILE_PASS, REGION, SESSION, STATE, TIMEOUT, UA, USE_HTTPS, is_option,
    },
    options::text,
};
use crate::http::{Headers, parse_seconds};

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
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
            match known.copied() {
                Some(TIMEOUT) => {
                    let timeout = millis(value)?.clamp(Self::MIN_TIMEOUT, Self::MAX_TIMEOUT);
                    options.set_timeout(timeout)?;
                }
                Some(NO_BANCHECK) => options.no_bancheck = true,
                Some(known) => options.set(known, value)?,
                None => options.set_extra(name, value)?,
            }
        }
        Ok(options)
    }

    /// Reads options from their names (as the getters have them) and values as words, for borders
    /// to languages without these types. The items of `profile_pass` and `debug` are a word
    /// each, and a time-out out of range is refused. `extra` holds the headers that have no option.
    ///
    /// ```
    /// use silkline::{http::Headers, proxy::ProxyOptions};
    /// let words = [("timeout", "45000"), ("use_https", "true")];
    /// assert!(ProxyOptions::from_words(words, &Headers::new())?.use_https());
    /// # Ok::<(), silkline::proxy::InvalidProxyOptions>(())
    /// ```
    pub fn from_words<'a>(
        words: impl IntoIterator<Item = (&'a str, &'a str)>,
        extra: &Headers,
    ) -> Result<Self, InvalidProxyOptions> {
        let mut options = Self::new();
        let (mut profile_pass, mut debug) = (Vec::new(), Vec::new());
        for (name, value) in words {
            let index = NAMES.iter().position(|known| *known == name);
            match index.and_then(|index| KNOWN.get(index)).copied() {
                Some(PROFILE_PASS) => profile_pass.push(value.into()),
                Some(DEBUG) => debug.push(value),
                Some(known) => options.set(known, value)?,
                None => return Err(InvalidProxyOptions::UnknownOption { header: name.into() }),
            }
        }
        options.set_profile_pass(profile_pass)?;
        options.set(DEBUG, &debug.join(","))?;
        for (name, value) in extra.iter() {
            options.set_extra(name, value)?;
        }
        Ok(options)
    }

    /// Sets the option of a header.
    fn set(&mut self, header: &'static str, value: &str) -> Result<(), InvalidProxyOptions> {
        match header {
            SESSION => {
                self.session = Some(value.parse()?);
                self.check()?;
            }
            MAX_RETRIES => {
                let number = number(value)
                    .ok_or_else(|| InvalidProxyOptions::value(MAX_RETRIES, value, "a number"))?;
                self.set_max_retries(number)?;
            }
            TIMEOUT => self.set_timeout(millis(value)?)?,
            COOKIES => self.cookies = Some(value.parse()?),
            PROFILE => self.profile = Some(profile(PROFILE, value)?),
            PROFILE_PASS => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                self.set_profile_pass(names.map(Into::into).collect())?;
            }
            UA => self.ua = Some(profile(UA, value)?),
            NO_BANCHECK => self.no_bancheck = flag(NO_BANCHECK, value)?,
            REGION => self.set_region(value)?,
            STATE => self.state = Some(text(STATE, value)?),
            CITY => self.city = Some(text(CITY, value)?),
            JOB_ID => self.job_id = Some(text(JOB_ID, value)?),
            CLIENT => self.client = Some(text(CLIENT, value)?),
            DEBUG => self.debug = value.parse()?,
            _ => self.use_https = flag(USE_HTTPS, value)?,
        }
        Ok(())
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

fn flag(header: &'static str, value: &str) -> Result<bool, InvalidProxyOptions> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(InvalidProxyOptions::value(header, value, "`1`")),
    }
}

fn millis(value: &str) -> Result<Duration, InvalidProxyOptions> {
    let thousandfold = parse_seconds(value);
    let error = || InvalidProxyOptions::value(TIMEOUT, value, "a number of milliseconds");
    Ok(thousandfold.ok_or_else(error)? / 1000)
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
