//! Settings that the services have in common, as Python gives them.

use core::{net::IpAddr, time::Duration};
use std::collections::BTreeMap;

use pyo3::{exceptions::PyValueError, prelude::*};
use silkline::service::{Keys, Pace, proxy::BanRule};

use crate::convert::delay;

/// A ban rule: domain, statuses, texts.
pub(super) type Ban = (Option<String>, Vec<u16>, Vec<String>);

pub(super) fn bans(rules: Option<Vec<Ban>>) -> Vec<BanRule> {
    let rules = rules.into_iter().flatten();
    rules.map(|(domain, statuses, texts)| BanRule::new(domain, statuses, texts)).collect()
}

/// The keys that are good (any, if none are named), and those of disabled accounts.
pub(super) fn keys(good: Option<Vec<String>>, disabled: Option<Vec<String>>) -> Keys {
    good.map_or_else(Keys::any, Keys::only).with_disabled(disabled.unwrap_or_default())
}

pub(super) fn addresses(texts: &[String]) -> PyResult<Vec<IpAddr>> {
    let address = |text: &String| {
        let name = text.escape_debug();
        text.parse().map_err(|_| PyValueError::new_err(format!("`{name}` is no IP address")))
    };
    texts.iter().map(address).collect()
}

/// Seconds for some domains; `name` is that of the argument.
pub(super) fn delays(
    name: &str,
    domains: Option<BTreeMap<String, f64>>,
) -> PyResult<Vec<(String, Duration)>> {
    let domains = domains.into_iter().flatten();
    domains.map(|(domain, time)| delay(name, time).map(|time| (domain, time))).collect()
}

/// So many a second.
pub(super) fn pace_per_second(name: &str, rate: Option<f64>) -> PyResult<Option<Pace>> {
    let pace = |rate| {
        Pace::per_second(rate)
            .ok_or_else(|| PyValueError::new_err(format!("{name} must be a number above 0")))
    };
    rate.map(pace).transpose()
}

/// So many a minute, a minute's worth of them at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit is the most there is"
)]
pub(super) fn pace_per_minute(name: &str, rate: Option<f64>) -> PyResult<Option<Pace>> {
    let pace = pace_per_second(name, rate.map(|rate| rate / 60.0))?;
    Ok(pace.zip(rate).map(|(pace, rate)| pace.with_burst(rate as u32)))
}

/// Sets what is given, and leaves the default else.
pub(super) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

pub(super) fn unknown_failure<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> PyErr {
    let (name, known) = (name.escape_debug(), known.collect::<Vec<_>>().join(", "));
    PyValueError::new_err(format!("`{name}` is no failure, these are: {known}"))
}
