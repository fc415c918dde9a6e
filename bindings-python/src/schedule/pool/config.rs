//! The settings of a pool.

#[cfg(feature = "stubs")]
use pyo3::inspect::PyStaticExpr;
use pyo3::{Borrowed, prelude::*};
use silkline::schedule::PoolConfig;

use crate::{
    convert::{delay, maybe_delay},
    errors,
    names::{self, literal},
};

/// A margin as it is given: seconds, or none at all; or left to the core.
#[derive(Default)]
pub(crate) enum Margin {
    Given(Option<f64>),
    #[default]
    Left,
}

impl FromPyObject<'_, '_> for Margin {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: PyStaticExpr = <Option<f64> as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self::Given)
    }
}

literal! {
    /// A pool that is ready made.
    PoolPresetName { "default", "zyte_api" }
}

/// The settings of a pool as they are given.
#[derive(Default)]
pub(crate) struct PoolSettings {
    pub(crate) preset: Option<PoolPresetName>,
    pub(crate) size: Option<u32>,
    pub(crate) margin: Margin,
    pub(crate) idle: Option<f64>,
    pub(crate) lifetime: Option<f64>,
    pub(crate) safety: Option<f64>,
    pub(crate) max_bans: Option<u32>,
    pub(crate) max_timeouts: Option<u32>,
    pub(crate) anonymous_percent: Option<u32>,
}

impl PoolSettings {
    pub(crate) fn into_core(self, py: Python<'_>) -> PyResult<PoolConfig> {
        let wrong = |error| errors::pool(py, &error);
        let mut config = match self.preset {
            None => PoolConfig::default(),
            Some(preset) => names::known(PoolConfig::preset(preset.0), preset.0)?,
        };
        if let Some(size) = self.size {
            config = config.with_size(size).map_err(wrong)?;
        }
        if let Margin::Given(margin) = self.margin {
            config = config.with_margin(maybe_delay("margin", margin)?);
        }
        if let Some(idle) = self.idle {
            config = config.with_idle(delay("idle", idle)?);
        }
        if let Some(lifetime) = self.lifetime {
            config = config.with_lifetime(Some(delay("lifetime", lifetime)?));
        }
        if let Some(safety) = self.safety {
            config = config.with_safety(delay("safety", safety)?);
        }
        if let Some(bans) = self.max_bans {
            config = config.with_max_bans(bans);
        }
        if let Some(timeouts) = self.max_timeouts {
            config = config.with_max_timeouts(timeouts);
        }
        if let Some(percent) = self.anonymous_percent {
            config = config.with_anonymous_percent(percent).map_err(wrong)?;
        }
        Ok(config)
    }
}
