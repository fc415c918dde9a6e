//! The headers of the options, and what the options are called.

pub(super) const SESSION: &str = "X-Crawlera-Session";
pub(super) const MAX_RETRIES: &str = "X-Crawlera-Max-Retries";
pub(super) const TIMEOUT: &str = "X-Crawlera-Timeout";
pub(super) const COOKIES: &str = "X-Crawlera-Cookies";
pub(super) const PROFILE: &str = "X-Crawlera-Profile";
pub(super) const PROFILE_PASS: &str = "X-Crawlera-Profile-Pass";
pub(super) const UA: &str = "X-Crawlera-UA";
pub(super) const NO_BANCHECK: &str = "X-Crawlera-No-Bancheck";
pub(super) const REGION: &str = "X-Crawlera-Region";
pub(super) const STATE: &str = "X-Crawlera-State";
pub(super) const CITY: &str = "X-Crawlera-City";
pub(super) const JOB_ID: &str = "X-Crawlera-JobId";
pub(super) const CLIENT: &str = "X-Crawlera-Client";
pub(super) const DEBUG: &str = "X-Crawlera-Debug";
pub(super) const USE_HTTPS: &str = "X-Crawlera-Use-HTTPS";
/// The headers that have an option of their own.
pub(super) const KNOWN: [&str; 15] = [
    SESSION,
    MAX_RETRIES,
    TIMEOUT,
    COOKIES,
    PROFILE,
    PROFILE_PASS,
    UA,
    NO_BANCHECK,
    REGION,
    STATE,
    CITY,
    JOB_ID,
    CLIENT,
    DEBUG,
    USE_HTTPS,
];
/// Their names as options, in the same order.
pub(super) const NAMES: [&str; 15] = [
    "session",
    "max_retries",
    "timeout",
    "cookies",
    "profile",
    "profile_pass",
    "ua",
    "no_bancheck",
    "region",
    "state",
    "city",
    "job_id",
    "client",
    "debug",
    "use_https",
];
/// What every option's header begins with.
pub(super) const PREFIX: &str = "X-Crawlera-";

/// Whether a header is one of the service's options, known to this library or not.
pub(super) fn is_option(name: &str) -> bool {
    name.len() > PREFIX.len()
        && name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
