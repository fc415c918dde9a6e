//! The settings of the engine.

use pyo3::prelude::*;
use silkline::engine::ExtractionConfig;

use crate::{
    convert::delay,
    errors,
    schedule::{PyRetryPolicy, RateLike},
};

/// The settings of an engine as they are given.
pub(super) struct Settings<'py> {
    pub(super) rate: Option<RateLike<'py>>,
    pub(super) burst: Option<u32>,
    pub(super) concurrency: Option<u32>,
    pub(super) queue_size: Option<u32>,
    pub(super) batch_size: Option<u32>,
    pub(super) deadline: Option<f64>,
    pub(super) policy: Option<PyRef<'py, PyRetryPolicy>>,
    pub(super) cap: Option<u64>,
    pub(super) requeue: Option<bool>,
}

impl Settings<'_> {
    pub(super) fn into_core(self, py: Python<'_>) -> PyResult<ExtractionConfig> {
        let setting = |error| errors::setting(py, &error);
        let mut config = ExtractionConfig::default().with_cap(self.cap);
        if let Some(rate) = self.rate {
            config = config.with_rate(rate.into_core(py)?);
        }
        if let Some(burst) = self.burst {
            config = config.with_burst(burst).map_err(|error| errors::rate(py, &error))?;
        }
        if let Some(concurrency) = self.concurrency {
            config = config.with_concurrency(concurrency).map_err(setting)?;
        }
        if let Some(size) = self.queue_size {
            config = config.with_queue_size(size).map_err(setting)?;
        }
        if let Some(size) = self.batch_size {
            config = config.with_batch_size(size).map_err(setting)?;
        }
        if let Some(deadline) = self.deadline {
            config = config.with_deadline(delay("deadline", deadline)?);
        }
        if let Some(policy) = self.policy {
            config = config.with_policy(policy.0.clone());
        }
        if let Some(requeue) = self.requeue {
            config = config.with_requeue(requeue);
        }
        Ok(config)
    }
}
