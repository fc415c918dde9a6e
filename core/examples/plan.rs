//! Tells how long a crawl will take, from settings as JSON.
//!
//! `plan '{"kind": "proxy", "pages": 1000000, "domains": 500, "sessions": 5000}'`

use silkline::plan::{Plan, PlanSettings};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let text = std::env::args().nth(1).ok_or("settings as JSON are missing")?;
    let mut plan = Plan::new(PlanSettings::from_json(&text)?)?;
    while !plan.advance(100_000) {
        let progress = plan.progress();
        eprintln!("{} of {} pages", progress.finished, progress.total);
    }
    println!("{}", plan.report().to_json());
    Ok(())
}
