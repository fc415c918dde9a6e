//! Settings as the other side has checked them: a JSON object, without what is left out.

use core::{net::IpAddr, time::Duration};

use serde_json::Value;
use silkline::service::{Keys, Pace, proxy::BanRule};

use crate::convert;

/// The settings of a service.
pub(crate) struct Settings(Value);

impl Settings {
    pub(crate) fn new(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_f64().map(convert::number)
    }

    pub(crate) fn count(&self, name: &str) -> Option<u32> {
        self.get(name)?.as_f64().map(convert::count)
    }

    pub(crate) fn size(&self, name: &str) -> Option<usize> {
        self.number(name).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(crate) fn delay(&self, name: &str) -> Option<Duration> {
        self.get(name)?.as_f64().map(convert::delay)
    }

    /// So many a second; none for a number that no pace has. JSON has no infinity.
    pub(crate) fn pace(&self, name: &str) -> Option<Pace> {
        match self.get(name)? {
            Value::String(_) => Pace::per_second(f64::INFINITY),
            rate => Pace::per_second(rate.as_f64()?),
        }
    }

    /// So many a minute, a minute's worth of them at once.
    #[cfg(feature = "zyte-api")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what does not fit is the most there is"
    )]
    pub(crate) fn pace_a_minute(&self, name: &str) -> Option<Pace> {
        let rate = self.get(name)?.as_f64().unwrap_or(f64::INFINITY);
        Some(Pace::per_second(rate / 60.0)?.with_burst(rate as u32))
    }

    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.get(name).map(texts)
    }

    pub(crate) fn delays(&self, name: &str) -> impl Iterator<Item = (String, Duration)> {
        let members = self.get(name).and_then(Value::as_object).into_iter().flatten();
        members.filter_map(|(name, time)| Some((name.clone(), convert::delay(time.as_f64()?))))
    }

    pub(crate) fn keys(&self) -> Keys {
        let keys = self.texts("keys").map_or_else(Keys::any, Keys::only);
        keys.with_disabled(self.texts("disabledKeys").unwrap_or_default())
    }

    pub(crate) fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let texts = self.texts(name)?;
        Some(texts.iter().filter_map(|text| text.parse().ok()).collect())
    }

    pub(crate) fn bans(&self, name: &str) -> Vec<BanRule> {
        let rules = self.get(name).and_then(Value::as_array).into_iter().flatten();
        rules.map(ban).collect()
    }
}

/// Sets what is given.
pub(crate) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn ban(rule: &Value) -> BanRule {
    let domain = rule.get("domain").and_then(Value::as_str).map(String::from);
    let statuses = rule.get("statuses").and_then(Value::as_array).into_iter().flatten();
    let statuses = statuses.filter_map(Value::as_u64).filter_map(|one| one.try_into().ok());
    BanRule::new(domain, statuses.collect(), rule.get("texts").map(texts).unwrap_or_default())
}

/// The strings of an array.
fn texts(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(|value| value.as_str().map(String::from)).collect()
}
