//! The proxy engine comes to rest and ends each job, however the service behaves.

use std::{collections::BTreeMap, time::Duration};

use silkline::{
    Rng, Timestamp,
    engine::{
        Failure, IdleReason, JobSession, ProxyConfig, ProxyEngine, ProxyEvent, ProxyJob,
        ProxyOutput, ProxySend, ProxySendKind, RequestId, SessionCreation,
    },
    http::{Headers, Method, Request, Response},
    proxy::ProxyApi,
    schedule::PoolConfig,
};

const HOUR: u64 = 3_600_000_000;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url)
}

/// What becomes of a request, half a second after it was sent.
enum Fate {
    Answer(Response),
    Fails(Failure),
    Silence,
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Fate {
    let mut sent = Headers::new();
    for (name, value) in headers {
        sent.append(*name, *value).unwrap();
    }
    Fate::Answer(Response::new(status, sent, "body"))
}

fn error(status: u16, code: &str) -> Fate {
    answer(status, &[("X-Crawlera-Error", code), ("X-Crawlera-Version", "1")])
}

/// What a run led to.
#[derive(Debug, Default)]
struct Run {
    sends: u32,
    kinds: BTreeMap<&'static str, u32>,
    ends: BTreeMap<u64, &'static str>,
    idle: Option<IdleReason>,
    end: u64,
}

/// Drives an engine from one moment on, until it is idle or `until`.
fn drive(
    engine: &mut ProxyEngine,
    (from, until): (u64, u64),
    mut fate: impl FnMut(&ProxySend) -> Fate,
) -> Run {
    let mut run = Run { end: from, ..Run::default() };
    let mut open: Vec<(u64, RequestId, Fate)> = Vec::new();
    let mut still = 0;
    while run.end <= until {
        let output = engine.poll(at(run.end));
        if !matches!(output, ProxyOutput::WaitUntil { .. }) {
            still = 0;
        }
        match output {
            ProxyOutput::Send(send) => {
                run.sends += 1;
                *run.kinds.entry(send.kind.as_str()).or_default() += 1;
                let fate = fate(&send);
                open.push((run.end + 500_000, send.id, fate));
            }
            ProxyOutput::Abort(id) => open.retain(|(_, open, _)| *open != id),
            ProxyOutput::Event(ProxyEvent::Finished(outcome)) => {
                let end = outcome.error_code().unwrap_or("ok");
                assert_eq!(run.ends.insert(outcome.job.as_u64(), end), None, "it ended twice");
            }
            ProxyOutput::Event(_) => {}
            ProxyOutput::WaitUntil { at: moment, reason } => {
                still += 1;
                assert!(still < 50, "waits for {reason:?} and for nothing");
                let heard = open.iter().filter(|(_, _, fate)| !matches!(fate, Fate::Silence));
                let next = heard.map(|(moment, ..)| *moment).min().unwrap_or(u64::MAX);
                let moment = moment.as_micros().min(next);
                if moment > run.end {
                    still = 0;
                }
                run.end = run.end.max(moment);
                let due = |(moment, _, fate): &mut (u64, RequestId, Fate)| {
                    *moment <= run.end && !matches!(fate, Fate::Silence)
                };
                for (_, id, fate) in open.extract_if(.., due) {
                    match fate {
                        Fate::Answer(response) => {
                            engine.handle_response(id, response, at(run.end)).unwrap();
                        }
                        Fate::Fails(failure) => {
                            engine.handle_failure(id, failure, at(run.end)).unwrap();
                        }
                        Fate::Silence => {}
                    }
                }
            }
            ProxyOutput::Idle(reason) => {
                assert!(open.is_empty(), "idle ({reason:?}) with requests under way");
                run.idle = Some(reason);
                return run;
            }
        }
    }
    run
}

fn config(size: u32) -> ProxyConfig {
    ProxyConfig::default().with_pool(PoolConfig::default().with_size(size).unwrap())
}

fn engine(config: ProxyConfig, seed: u64) -> ProxyEngine {
    ProxyEngine::new(ProxyApi::new("key").unwrap(), config, seed, at(0))
}

/// Ways in which no session can be made by a call.
const REFUSALS: [fn() -> Fate; 5] = [
    || answer(500, &[]),
    || answer(404, &[]),
    || Fate::Fails(Failure::NotSent),
    || Fate::Fails(Failure::Network),
    || Fate::Silence,
];

#[test]
fn a_warm_up_that_is_always_refused_comes_to_rest() {
    for refusal in
        REFUSALS.into_iter().chain([|| error(429, "too_many_conns")] as [fn() -> Fate; 1])
    {
        let mut engine = engine(config(20).with_warm_up(20).unwrap(), 1);
        let run = drive(&mut engine, (0, HOUR), |_| refusal());
        assert_eq!(run.idle, Some(IdleReason::Empty), "{run:?}");
        assert!(run.sends > 1 && run.sends <= 24, "{run:?}");
    }
}

#[test]
fn jobs_whose_session_no_call_makes_make_it_themselves() {
    for refusal in REFUSALS {
        let mut engine = engine(config(20).with_creation(SessionCreation::Call), 1);
        engine.submit(get("http://a/"), at(0)).unwrap();
        engine.submit(ProxyJob::new(get("http://a/")).in_session("n"), at(0)).unwrap();
        let run = drive(&mut engine, (0, HOUR), |send| match send.kind {
            ProxySendKind::CreateSession => refusal(),
            _ => answer(200, &[("X-Crawlera-Session", &send.id.as_u64().to_string())]),
        });
        assert_eq!(run.idle, Some(IdleReason::Empty), "{run:?}");
        assert_eq!(run.ends.values().collect::<Vec<_>>(), [&"ok", &"ok"]);
        assert_eq!(run.kinds.get("fetch"), Some(&2));
    }
    let mut engine = engine(config(20).with_creation(SessionCreation::Call), 1);
    engine.submit(get("http://a/"), at(0)).unwrap();
    let run = drive(&mut engine, (0, 24 * HOUR), |_| Fate::Fails(Failure::Network));
    assert_eq!(run.ends.values().collect::<Vec<_>>(), [&"network_failure"], "{run:?}");
}

#[test]
fn a_word_about_a_session_that_was_not_used_is_an_error_like_others() {
    for code in ["bad_session_id", "user_session_limit"] {
        let mut engine = engine(config(2), 1);
        engine.submit(ProxyJob::new(get("http://a/")).outside_sessions(), at(0)).unwrap();
        let run = drive(&mut engine, (0, HOUR), |_| error(400, code));
        assert_eq!((run.ends.get(&1), run.sends), (Some(&code), 6), "{run:?}");
        assert!(run.end > 10_000_000, "retries wait: {run:?}");
    }
}

#[test]
fn a_storm_at_the_end_is_not_met_by_all_deletions() {
    for refusal in
        [|| error(429, "too_many_conns"), || answer(500, &[]), || Fate::Fails(Failure::Network)]
            as [fn() -> Fate; 3]
    {
        let mut engine = engine(config(100), 1);
        for _ in 0..100 {
            engine.submit(get("http://a/"), at(0)).unwrap();
        }
        let run = drive(&mut engine, (0, HOUR), |send| {
            answer(200, &[("X-Crawlera-Session", &send.id.as_u64().to_string())])
        });
        assert_eq!((run.ends.len(), engine.stats().pool.sessions), (100, 100));
        engine.close(at(run.end), Duration::ZERO);
        let run = drive(&mut engine, (run.end, HOUR), |_| refusal());
        assert_eq!((run.idle, run.sends), (Some(IdleReason::Closed), 8), "{run:?}");
    }
}

#[test]
fn a_slip_in_a_delay_does_not_stall_a_crawl() {
    let week = 7 * 24 * HOUR;
    for (status, code) in [
        (429, "too_many_conns"),
        (503, "timeout"),
        (503, "slavebanned"),
        (400, "user_session_limit"),
    ] {
        let mut engine = engine(config(1), 1);
        engine.submit(get("http://a/"), at(0)).unwrap();
        let run = drive(&mut engine, (0, 2 * week), |send| match send.id.as_u64() {
            1 => answer(status, &[("X-Crawlera-Error", code), ("Retry-After", "99999999999")]),
            id => answer(200, &[("X-Crawlera-Session", &id.to_string())]),
        });
        assert_eq!(run.ends.get(&1), Some(&"ok"), "{code}: {run:?}");
        assert!(run.end >= week, "{code}: {run:?}");
    }
}

#[test]
fn bans_count_on_the_first_use_and_in_late_answers() {
    let pool = PoolConfig::default().with_size(1).unwrap().with_max_bans(2);
    let banned = |session: &str| {
        let sent = [("X-Crawlera-Error", "banned"), ("X-Crawlera-Session", session)];
        let Fate::Answer(response) = answer(503, &sent) else { unreachable!() };
        response
    };
    let mut engine = engine(ProxyConfig::default().with_pool(pool), 1);
    engine.submit(get("http://a/"), at(0)).unwrap();
    let ProxyOutput::Send(first) = engine.poll(at(0)) else { panic!() };
    engine.handle_response(first.id, banned("7"), at(500_000)).unwrap();
    let ProxyOutput::WaitUntil { .. } = engine.poll(at(500_000)) else { panic!() };
    let ProxyOutput::Send(second) = engine.poll(at(60_000_000)) else { panic!() };
    assert_eq!(second.session.as_ref().map(silkline::proxy::SessionId::as_str), Some("7"));
    let overdue = second.deadline;
    assert_eq!(engine.poll(overdue), ProxyOutput::Abort(second.id));
    assert_eq!(engine.stats().pool.sessions, 1);
    engine.handle_response(second.id, banned("7"), overdue).unwrap();
    assert_eq!(engine.stats().pool.sessions, 0, "banned twice");
    let ProxyOutput::Send(call) = engine.poll(overdue) else { panic!() };
    assert_eq!(call.kind, ProxySendKind::DeleteSession);
}

/// A request of a random world and what becomes of it.
fn chance(rng: &mut Rng, good: u64, send: &ProxySend) -> Fate {
    let new = send.id.as_u64().to_string();
    let id = send.session.as_ref().map_or(new.as_str(), |id| id.as_str());
    let session = ("X-Crawlera-Session", id);
    if send.kind == ProxySendKind::CreateSession && rng.up_to(100) < good {
        let body = format!("{id}\n");
        return Fate::Answer(Response::new(200, Headers::new(), body));
    }
    match rng.up_to(14) {
        0 => error(400, "bad_session_id"),
        1 => error(503, "noslaves"),
        2 => error(429, "too_many_conns"),
        3 => Fate::Silence,
        4 => Fate::Fails(Failure::Network),
        5 => Fate::Fails(Failure::NotSent),
        6 => error(503, "banned"),
        7 => error(400, "user_session_limit"),
        8 => answer(200, &[session, ("X-Crawlera-Next-Request-In", "130")]),
        9 => answer(503, &[("X-Crawlera-Error", "slavebanned"), ("Retry-After", "1200")]),
        _ => answer(200, &[session, ("X-Crawlera-Slave", "1.2.3.4:80")]),
    }
}

#[test]
fn in_bad_worlds_all_jobs_end_and_the_machine_closes() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let creation =
            if rng.up_to(1) == 0 { SessionCreation::Call } else { SessionCreation::Header };
        let size = 2 + u32::try_from(rng.up_to(3)).unwrap();
        let config = config(size).with_creation(creation).with_warm_up(2).unwrap();
        let mut engine = engine(config, seed);
        let jobs = 1 + usize::try_from(rng.up_to(20)).unwrap();
        for number in 0..jobs {
            let url = format!("http://d{}/{number}", rng.up_to(3));
            let priority = i32::try_from(rng.up_to(2)).unwrap();
            let job = ProxyJob::new(get(&url)).with_priority(priority);
            let name = format!("n{}", rng.up_to(2)).into();
            let job = match rng.up_to(4) {
                0 => job.outside_sessions(),
                1 => job.with_session(JobSession::Named { name, replace: false }),
                2 => job.with_session(JobSession::Named { name, replace: true }),
                _ => job,
            };
            engine.submit(job, at(0)).unwrap();
        }
        let good = rng.up_to(100);
        let run = drive(&mut engine, (0, 1_000 * HOUR), |send| chance(&mut rng, good, send));
        assert_eq!((run.idle, run.ends.len()), (Some(IdleReason::Empty), jobs), "seed {seed}");
        engine.close(at(run.end), Duration::from_secs(5));
        let until = run.end + HOUR;
        let run = drive(&mut engine, (run.end, until), |send| chance(&mut rng, good, send));
        assert_eq!(run.idle, Some(IdleReason::Closed), "seed {seed}");
    }
}

fn fetched(session: &str) -> Fate {
    answer(200, &[("X-Crawlera-Session", session), ("X-Crawlera-Version", "1")])
}

/// What an engine of two sessions sends, in order: session, name, and path.
type Sent = Vec<(Option<String>, Option<String>, String)>;

/// Twenty jobs for any session, and one that stays in the session of the first, submitted as soon as
/// that has been answered. `dead` is a session that the service has forgotten by then.
fn staying(jobs: u32, dead: Option<&str>) -> (ProxyEngine, Sent, Vec<ProxyEvent>) {
    let pool = PoolConfig::default().with_size(2).unwrap();
    let mut engine = engine(ProxyConfig::default().with_pool(pool), 1);
    for job in 0..jobs {
        engine.submit(get(&format!("http://a.com/{job}")), at(0)).unwrap();
    }
    let (mut now, mut log, mut events) = (0, Sent::new(), Vec::new());
    let mut made = 0;
    loop {
        match engine.poll(at(now)) {
            ProxyOutput::Send(send) if send.kind == ProxySendKind::Fetch => {
                let session = send.session.as_ref().map_or_else(
                    || {
                        made += 1;
                        format!("s{made}")
                    },
                    ToString::to_string,
                );
                let path = send.request.url.rsplit('/').next().unwrap().to_owned();
                let was = send.session.as_ref().map(ToString::to_string);
                log.push((was.clone(), send.session_name.clone(), path.clone()));
                let gone = was.is_some() && was.as_deref() == dead;
                let fate = if gone { error(400, "bad_session_id") } else { fetched(&session) };
                let Fate::Answer(response) = fate else { panic!() };
                engine.handle_response(send.id, response, at(now + 500_000)).unwrap();
                if path == "0" {
                    let job = ProxyJob::new(get("http://b.com/next"));
                    let id = silkline::proxy::SessionId::new(session).unwrap();
                    engine.submit(job.staying_in(id), at(now + 500_000)).unwrap();
                }
            }
            ProxyOutput::Event(event) => events.push(event),
            ProxyOutput::WaitUntil { at, .. } => now = at.as_micros(),
            ProxyOutput::Idle(_) => return (engine, log, events),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_follows_a_request_stays_in_its_session() {
    let (engine, sent, events) = staying(20, None);
    assert_eq!(events.len(), 21);
    let first_use = sent.iter().position(|(was, ..)| was.as_deref() == Some("s1")).unwrap();
    let (_, name, path) = &sent[first_use];
    assert_eq!((path.as_str(), name), ("next", &None), "before all others: {sent:?}");
    let later = sent[first_use + 1..].iter().filter(|(was, ..)| was.as_deref() == Some("s1"));
    assert!(later.count() > 5, "the session serves everybody again");
    let stats = engine.stats();
    assert_eq!((stats.pool.sessions, stats.pool.named, stats.names), (2, 0, 0));
}

#[test]
fn what_was_to_stay_in_a_lost_session_goes_through_another() {
    let (engine, sent, events) = staying(20, Some("s1"));
    assert!(events.iter().all(|event| event.name() == "finished"), "no name was lost");
    assert_eq!((events.len(), engine.stats().succeeded), (21, 21));
    let ways: Vec<Option<&str>> = sent
        .iter()
        .filter(|(.., path)| path == "next")
        .map(|(session, ..)| session.as_deref())
        .collect();
    assert_eq!(ways.len(), 2);
    assert_eq!(ways[0], Some("s1"));
    assert_ne!(ways[1], Some("s1"));
    let stats = engine.stats();
    assert_eq!((stats.pool.named, stats.names), (0, 0));
}

#[test]
fn what_was_to_stay_is_restored_for_any_session() {
    let (mut engine, ..) = staying(1, None);
    let now = at(3_600_000_000 / 4);
    let stay = |engine: &mut ProxyEngine| {
        let id = silkline::proxy::SessionId::new("s1").unwrap();
        engine.submit(ProxyJob::new(get("http://b.com/again")).staying_in(id), now).unwrap()
    };
    let id = stay(&mut engine);
    assert_eq!((engine.stats().pool.named, engine.stats().names), (1, 0));
    let bytes = engine.snapshot(now);
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains(r#""name":"#));
    let api = ProxyApi::new("key").unwrap();
    let mut again = ProxyEngine::restore(api, ProxyConfig::default(), &bytes, now, None).unwrap();
    let run = drive(&mut again, (now.as_micros(), HOUR), |send| match send.kind {
        ProxySendKind::ListSessions => {
            Fate::Answer(Response::new(200, Headers::new(), r#"{"s1": null}"#))
        }
        _ => fetched("s1"),
    });
    assert_eq!(run.ends.get(&id.as_u64()), Some(&"ok"));
    assert_eq!(again.stats().pool.named, 0);
    // Unknown sessions are no error.
    assert!(engine.cancel(id, now));
    assert_eq!(engine.stats().pool.named, 0);
    let other = silkline::proxy::SessionId::new("never-heard-of").unwrap();
    engine.submit(ProxyJob::new(get("http://b.com/")).staying_in(other), now).unwrap();
}
