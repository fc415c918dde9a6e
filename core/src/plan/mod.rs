//! How long a crawl will take, what it will cost, and what limits it.
//!
//! A [`Plan`] runs a whole crawl in virtual time: the real [engine](crate::engine) decides what to
//! send and when, the [service](crate::service) as documented answers, and a network lies between
//! them. A million pages take seconds. Whatever is left to chance comes from one seed, so each run
//! can be repeated, in every language.
//!
//! ```
//! use silkline::plan::{Plan, PlanKind, PlanSettings};
//!
//! let settings = PlanSettings::new(PlanKind::Extraction, 3_000, 20);
//! let mut plan = Plan::new(settings)?;
//! while !plan.advance(10_000) {} // here a program may show plan.progress(), or stop
//! let report = plan.report();
//! assert_eq!(report.succeeded, 3_000);
//! assert_eq!(report.limit.what, "rate", "5 queries a second");
//! assert_eq!(report.duration_us / 1_000_000 / 60, 10, "minutes");
//! assert_eq!(report.cost.micros, 60_000_000, "one month");
//! # Ok::<(), silkline::plan::InvalidPlan>(())
//! ```

mod calendar;
mod extraction;
mod limits;
mod price;
mod proxy;
mod report;
mod run;
mod series;
mod settings;
mod side;
mod spread;

pub use price::Cost;
pub use report::{Change, LargestDomain, Limit, PlanReport, SeriesReport};
pub use run::{Plan, PlanProgress};
pub use settings::{InvalidPlan, PlanDialect, PlanKind, PlanSettings, Spread};
