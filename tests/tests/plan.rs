//! What plans say, against what they would say with other settings.

use silkline::plan::{Plan, PlanKind, PlanReport, PlanSettings, Spread};

fn run(settings: PlanSettings) -> PlanReport {
    let mut plan = Plan::new(settings).expect("a plan");
    while !plan.advance(50_000) {}
    let report = plan.report();
    assert_eq!(report.stopped, None);
    assert_eq!(report.succeeded + report.failed, report.pages);
    assert_eq!(report.early, 0, "a plan that breaks the service's limits is no plan");
    let waits: u64 = report.waits_us.values().sum();
    // Sessions are deleted and connections closed after the last page.
    assert!(waits >= report.duration_us, "{waits} of {}", report.duration_us);
    let ended: u64 = report.series.succeeded.iter().chain(&report.series.failed).sum();
    assert_eq!(ended, report.pages);
    report
}

fn near(found: u64, expected: u64, percent: u64) {
    let difference = found.abs_diff(expected);
    assert!(difference * 100 <= expected * percent, "{found} is not near {expected}");
}

const SECOND: u64 = 1_000_000;

#[test]
fn a_proxied_crawl_is_limited_by_its_sessions() {
    let settings = PlanSettings::new(PlanKind::Proxy, 30_000, 40);
    let report = run(settings.clone());
    assert_eq!(report.limit.what, "sessions");
    // 300 requests a session, 12.25 s apart.
    near(report.duration_us, 299 * 12_250_000 + 2 * SECOND, 1);
    for change in &report.changes {
        assert_eq!((change.setting, change.from), ("sessions", 100));
        let mut changed = settings.clone();
        changed.sessions = u32::try_from(change.to).unwrap();
        let then = run(changed);
        near(then.duration_us, change.duration_us, 5);
        assert_eq!(then.limit.what, change.then);
    }
    assert_eq!(report.changes.iter().map(|it| it.to).collect::<Vec<_>>(), [200, 5_000]);
}

#[test]
fn few_slots_for_many_sessions_are_seen() {
    let mut settings = PlanSettings::new(PlanKind::Proxy, 20_000, 40);
    (settings.sessions, settings.concurrency) = (1_000, Some(20));
    let report = run(settings.clone());
    assert_eq!(report.limit.what, "concurrency");
    let change = report.changes.last().expect("a change");
    assert_eq!(change.setting, "concurrency");
    settings.concurrency = Some(u32::try_from(change.to).unwrap());
    let then = run(settings);
    near(then.duration_us, change.duration_us, 10);
    assert_eq!((then.limit.what, change.then), ("sessions", "sessions"));
}

#[test]
fn an_extraction_is_limited_by_its_rate() {
    let settings = PlanSettings::new(PlanKind::Extraction, 5_000, 40);
    let report = run(settings.clone());
    assert_eq!(report.limit.what, "rate");
    near(report.duration_us, 1_000 * SECOND, 3);
    let change = report.changes.first().expect("a change");
    assert_eq!((change.setting, change.from, change.per_us), ("rate", 5, Some(SECOND)));
    let mut changed = settings;
    changed.rate = Some([change.to, SECOND]);
    let then = run(changed);
    near(then.duration_us, change.duration_us, 10);
    assert_eq!(then.limit.what, change.then);
}

#[test]
fn a_large_domain_that_is_slow_is_seen() {
    let mut settings = PlanSettings::new(PlanKind::Extraction, 3_000, 30);
    settings.spread = Spread::Zipf;
    settings.domain_interval_us = Some(2 * SECOND);
    let report = run(settings.clone());
    assert_eq!(report.limit.what, "largest_domain");
    assert_eq!(report.largest_domain.name, "site-1.example");
    let change = report.changes.first().expect("a change");
    assert_eq!(
        (change.setting, change.domain.as_deref()),
        ("domain_pages", Some("site-1.example"))
    );
    assert!(change.to < change.from);
    settings.spread = Spread::Even;
    let even = run(settings);
    assert!(even.duration_us * 2 < report.duration_us);
}

#[test]
fn what_a_month_refuses_waits_for_the_next() {
    let mut settings = PlanSettings::new(PlanKind::Extraction, 2_500, 10);
    (settings.quota, settings.month_limit) = (500, Some(1_000));
    let report = run(settings.clone());
    assert_eq!(report.limit.what, "monthly_limit");
    assert_eq!(report.cost.months, [1_000, 1_000, 500]);
    assert_eq!(report.cost.refused, 1_500);
    assert_eq!(report.cost.micros, (120 + 120 + 60) * SECOND);
    near(report.duration_us, 60 * 86_400 * SECOND + 100 * SECOND, 1);
    let change = report.changes.first().expect("a change");
    assert_eq!((change.setting, change.to), ("month_limit", 2_500));
    settings.month_limit = Some(change.to);
    let then = run(settings);
    assert_eq!(then.cost.refused, 0);
    near(then.duration_us, 500 * SECOND, 5);
    near(change.duration_us, 500 * SECOND, 30);
}

#[test]
fn faults_cost_time_and_money() {
    let mut settings = PlanSettings::new(PlanKind::Extraction, 4_000, 10);
    let calm = run(settings.clone());
    (settings.bans_ppm, settings.errors_ppm, settings.failures_ppm) = (30_000, 30_000, 30_000);
    let rough = run(settings);
    assert_eq!((calm.retries, calm.cost.billed, calm.failed), (0, 4_000, 0));
    near(rough.retries, 390, 25);
    near(rough.cost.billed, 4_250, 3);
    assert!(rough.duration_us > calm.duration_us * 105 / 100);

    let mut settings = PlanSettings::new(PlanKind::Proxy, 4_000, 10);
    settings.bans_ppm = 50_000;
    let rough = run(settings);
    near(rough.retries, 210, 25);
    assert_eq!(rough.cost.billed, 4_000, "answers with an error are not billed");
}

#[test]
fn the_successor_counts_requests_a_minute() {
    let text = r#"{"kind": "extraction", "dialect": "zyte_api", "pages": 20000, "domains": 9,
        "concurrency": 2000, "rate": [3000, 60000000]}"#;
    let report = run(PlanSettings::from_json(text).unwrap());
    assert_eq!(report.limit.what, "rate");
    near(report.duration_us, 400 * SECOND, 6);
    assert_eq!((report.cost.micros, report.cost.month_limit), (0, None));

    let text = r#"{"kind": "proxy", "dialect": "zyte_api", "pages": 14000, "sessions": 200}"#;
    let report = run(PlanSettings::from_json(text).unwrap());
    assert_eq!(report.limit.what, "rate");
    let (count, period) = silkline::zyte_api::EXTRACTION.rate();
    let expected = 14_000 * period.as_secs() / count;
    near(report.duration_us, expected * SECOND, 6);
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let mut settings = PlanSettings::new(PlanKind::Proxy, 2_000, 10);
    (settings.bans_ppm, settings.failures_ppm) = (20_000, 20_000);
    let (first, again) = (run(settings.clone()), run(settings.clone()));
    assert_eq!(first, again);
    settings.seed = 2;
    assert_ne!(run(settings), first);
}

#[test]
fn an_account_that_is_refused_ends_the_plan() {
    let text = r#"{"kind": "extraction", "pages": 100,
        "faults": [{"when": {"request": 10}, "then": {"problem": "account-disabled"}}]}"#;
    let mut plan = Plan::new(PlanSettings::from_json(text).unwrap()).unwrap();
    while !plan.advance(10) {}
    let report = plan.report();
    assert_eq!(report.stopped.as_deref(), Some("account_disabled"));
    assert!(report.succeeded < 100);
}
