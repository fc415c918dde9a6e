//! The settings of the engine.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use silkline::engine::{ProxyConfig, SessionCreation};

use crate::{
    convert::delay,
    errors,
    names::{self, literal},
    proxy::PyProxyOptions,
    schedule::{PoolSettings, PyRetryPolicy},
};

literal! {
    /// How sessions are made.
    CreationName { "call", "header" }
}

/// The settings of an engine as they are given.
pub(super) struct Settings<'py> {
    pub(super) pool: PoolSettings,
    pub(super) creation: Option<CreationName>,
    pub(super) warm_up: Option<u32>,
    pub(super) delay: Option<f64>,
    pub(super) domain_delays: Option<BTreeMap<String, f64>>,
    pub(super) concurrency: Option<u32>,
    pub(super) call_concurrency: Option<u32>,
    pub(super) queue_size: Option<u32>,
    pub(super) deadline: Option<f64>,
    pub(super) policy: Option<PyRef<'py, PyRetryPolicy>>,
    pub(super) options: Option<PyRef<'py, PyProxyOptions>>,
    pub(super) requeue: Option<bool>,
    pub(super) keep_secrets: Option<bool>,
    pub(super) adopt_all: Option<bool>,
    pub(super) delete_on_close: Option<bool>,
}

impl Settings<'_> {
    pub(super) fn into_core(self, py: Python<'_>) -> PyResult<ProxyConfig> {
        let setting = |error| errors::setting(py, &error);
        let mut config = ProxyConfig::default().with_pool(self.pool.into_core(py)?);
        if let Some(name) = self.creation {
            let creation = names::known(SessionCreation::from_name(name.0), name.0)?;
            config = config.with_creation(creation);
        }
        if let Some(sessions) = self.warm_up {
            config = config.with_warm_up(sessions).map_err(setting)?;
        }
        if let Some(seconds) = self.delay {
            config = config.with_delay(delay("delay", seconds)?);
        }
        for (domain, seconds) in self.domain_delays.into_iter().flatten() {
            config = config.with_domain_delay(&domain, delay("domain_delays", seconds)?);
        }
        if let Some(concurrency) = self.concurrency {
            config = config.with_concurrency(concurrency).map_err(setting)?;
        }
        if let Some(concurrency) = self.call_concurrency {
            config = config.with_call_concurrency(concurrency).map_err(setting)?;
        }
        if let Some(size) = self.queue_size {
            config = config.with_queue_size(size).map_err(setting)?;
        }
        if let Some(deadline) = self.deadline {
            config = config.with_deadline(delay("deadline", deadline)?);
        }
        if let Some(policy) = self.policy {
            config = config.with_policy(policy.0.clone());
        }
        if let Some(options) = self.options {
            let options = config.with_options(options.0.clone());
            config = options.map_err(|error| errors::proxy_options(py, &error))?;
        }
        if let Some(requeue) = self.requeue {
            config = config.with_requeue(requeue);
        }
        if let Some(keep) = self.keep_secrets {
            config = config.with_keep_secrets(keep);
        }
        if let Some(adopt) = self.adopt_all {
            config = config.with_adopt_all(adopt);
        }
        if let Some(delete) = self.delete_on_close {
            config = config.with_delete_on_close(delete);
        }
        Ok(config)
    }
}
