//! `silkline::schedule`: what the engines need of it too.

use silkline::schedule::{self, Budget, FailureClass, PoolConfig, Rate, Rule, Wait};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    convert::{Given, count, delay, number},
    errors::Thrown,
};

/// A rate as a count and the milliseconds in which it may happen so often; without a period, a
/// fraction of times a second.
pub(crate) fn rate(times: f64, period: f64) -> Result<Rate, Thrown> {
    Ok(if period.is_nan() {
        Rate::per_second_millionths(number(times * 1e6))?
    } else {
        Rate::new(number(times), delay(period))?
    })
}

/// How a pool is set up; `sure` is false for no margin.
pub(crate) fn pool_config(given: &mut Given<'_>, sure: bool) -> Result<PoolConfig, Thrown> {
    let mut config = PoolConfig::default();
    if let Some(size) = given.next() {
        config = config.with_size(count(size))?;
    }
    if let Some(margin) = given.next() {
        config = config.with_margin(Some(delay(margin)));
    }
    if let Some(idle) = given.next() {
        config = config.with_idle(delay(idle));
    }
    if let Some(lifetime) = given.next() {
        config = config.with_lifetime(Some(delay(lifetime)));
    }
    if let Some(safety) = given.next() {
        config = config.with_safety(delay(safety));
    }
    if let Some(bans) = given.next() {
        config = config.with_max_bans(count(bans));
    }
    if let Some(timeouts) = given.next() {
        config = config.with_max_timeouts(count(timeouts));
    }
    if let Some(percent) = given.next() {
        config = config.with_anonymous_percent(count(percent))?;
    }
    Ok(if sure { config } else { config.with_margin(None) })
}

/// Classes cross as their index among all.
pub(crate) fn class_of(index: usize) -> Option<FailureClass> {
    FailureClass::ALL.get(index).copied()
}

/// A wait and a budget for each class of failures.
#[wasm_bindgen]
pub struct RetryPolicy(pub(crate) schedule::RetryPolicy);

#[wasm_bindgen]
impl RetryPolicy {
    /// The preset of a name, if there is one.
    pub fn preset(name: &str) -> Option<Self> {
        schedule::RetryPolicy::preset(name).map(Self)
    }

    /// Changes the wait of a class: least and most, step and cap of the growing part, then how many
    /// waits are different at first, with their least and most.
    #[wasm_bindgen(js_name = setWait)]
    pub fn set_wait(&mut self, class: usize, numbers: &[f64]) {
        let [least, most, step, cap, first, first_least, first_most] = *numbers else { return };
        let Some(class) = class_of(class) else { return };
        let wait = Wait::between(delay(least), delay(most))
            .growing(delay(step), delay(cap))
            .with_first(count(first), delay(first_least), delay(first_most));
        self.set(class, Rule { wait, ..self.0.rule(class) });
    }

    /// Changes the budget of a class: 0 for ever, 1 by retries, 2 since the first attempt, 3
    /// uninterrupted.
    #[wasm_bindgen(js_name = setBudget)]
    pub fn set_budget(&mut self, class: usize, kind: u8, amount: f64) {
        let Some(class) = class_of(class) else { return };
        let budget = match kind {
            0 => Budget::Forever,
            1 => Budget::Retries(count(amount)),
            2 => Budget::SinceFirstAttempt(delay(amount)),
            _ => Budget::Uninterrupted(delay(amount)),
        };
        self.set(class, Rule { budget, ..self.0.rule(class) });
    }

    fn set(&mut self, class: FailureClass, rule: Rule) {
        self.0 = self.0.clone().with_rule(class, rule);
    }
}
