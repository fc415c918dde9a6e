//! What a pool promises.

use alloc::{collections::BTreeMap, format, vec::Vec};
use core::time::Duration;

use super::{Ending, FirstUse, InvalidPool, PoolConfig, SessionPool, Unavailable, Use};
use crate::{Rng, Timestamp};

const DELAY: Duration = Duration::from_secs(12);

fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn pool(size: u32) -> SessionPool {
    SessionPool::new(PoolConfig::default().with_size(size).unwrap())
}

fn add(pool: &mut SessionPool, id: &str, address: Option<&str>, now: Timestamp) {
    let place = pool.reserve(false, now).unwrap();
    pool.add(place, id, address, None, now);
}

fn id(pool: &SessionPool, usage: Use) -> &str {
    pool.id(usage.session()).unwrap()
}

#[test]
fn sizes_are_those_of_the_service() {
    assert_eq!(PoolConfig::default().with_size(0), Err(InvalidPool::Size { size: 0 }));
    assert_eq!(PoolConfig::default().with_size(5_001).unwrap_err().code(), "pool_size_invalid");
    let error = PoolConfig::default().with_anonymous_percent(101).unwrap_err();
    assert_eq!(error.code(), "pool_anonymous_invalid");
}

#[test]
fn the_session_that_is_ready_first_comes_first() {
    let mut pool = pool(3);
    assert_eq!(pool.try_acquire(DELAY, ms(0)), Err(Unavailable::Empty));
    for name in ["a", "b"] {
        add(&mut pool, name, None, ms(0));
    }
    let a = pool.try_acquire(DELAY, ms(0)).unwrap();
    let b = pool.try_acquire(DELAY * 2, ms(1)).unwrap();
    assert_eq!((id(&pool, a), id(&pool, b)), ("a", "b"));
    assert_eq!(pool.try_acquire(DELAY, ms(2)), Err(Unavailable::Busy));
    assert!(!pool.finish(b, Ending::Answered, ms(100)));
    assert_eq!(pool.ready_at(ms(200)), Err(Unavailable::Until(ms(24_100))));
    assert!(!pool.finish(a, Ending::Answered, ms(1_000)));
    assert_eq!(pool.ready_at(ms(1_000)), Err(Unavailable::Until(ms(12_250))));
    let a = pool.try_acquire(DELAY, ms(12_250)).unwrap();
    assert_eq!(id(&pool, a), "a");
    assert!(!pool.finish(a, Ending::NotSent, ms(12_251)));
    let a = pool.try_acquire(DELAY, ms(12_251)).unwrap();
    assert_eq!(id(&pool, a), "a", "what never left costs nothing");
}

#[test]
fn places_are_reserved_lost_and_found() {
    let mut pool = pool(2);
    let first = pool.reserve(false, ms(0)).unwrap();
    let second = pool.reserve(false, ms(0)).unwrap();
    assert_eq!(pool.reserve(false, ms(0)), None);
    pool.cancel(first);
    pool.lose(second, ms(0));
    let first = pool.reserve(false, ms(0)).unwrap();
    assert_eq!(pool.reserve(false, ms(1_799_999)), None);
    let second = pool.reserve(false, ms(1_800_000)).unwrap();
    let created = FirstUse { sent: ms(1_800_000), delay: DELAY };
    pool.add(first, "a", None, Some(created), ms(1_800_100));
    pool.add(second, "a", None, None, ms(1_800_100));
    assert_eq!(pool.stats().sessions, 1);
    assert_eq!(pool.ready_at(ms(1_800_100)), Err(Unavailable::Until(ms(1_812_100))));
}

#[test]
fn one_address_has_one_pace() {
    let mut pool = pool(5);
    for (name, address) in [("a", "1"), ("b", "1"), ("c", "2")] {
        add(&mut pool, name, Some(address), ms(0));
    }
    let a = pool.try_acquire(DELAY, ms(0)).unwrap();
    let c = pool.try_acquire(DELAY, ms(0)).unwrap();
    assert_eq!((id(&pool, a), id(&pool, c)), ("a", "c"));
    assert_eq!(pool.ready_at(ms(0)), Err(Unavailable::Until(ms(12_250))));
    pool.finish(a, Ending::Answered, ms(100));
    let b = pool.try_acquire(DELAY, ms(12_100)).unwrap();
    assert_eq!(id(&pool, b), "b", "used less lately than a");
    pool.set_address(c.session(), "1");
    pool.finish(c, Ending::Answered, ms(12_200));
    assert_eq!(pool.ready_at(ms(12_200)), Err(Unavailable::Until(ms(24_350))));
    assert_eq!(pool.address(c.session()), Some("1"));
}

#[test]
fn idle_sessions_are_never_handed_out() {
    let mut pool = pool(5);
    add(&mut pool, "a", None, ms(0));
    add(&mut pool, "b", None, ms(1_000));
    let usable = 1_770_000;
    assert_eq!(pool.next_expiry(), Some(ms(usable)));
    let b = pool.try_acquire(DELAY, ms(usable)).unwrap();
    assert_eq!(id(&pool, b), "b");
    assert_eq!(pool.take_expired(ms(usable)).as_deref(), Some("a"));
    assert_eq!(pool.take_expired(ms(usable)), None);
    pool.finish(b, Ending::Answered, ms(usable));
    assert_eq!(pool.take_expired(ms(usable * 2)).as_deref(), Some("b"));
    assert_eq!(pool.try_acquire(DELAY, ms(usable * 2)), Err(Unavailable::Empty));
}

#[test]
fn bans_and_timeouts_wear_a_session_out() {
    let config = PoolConfig::default().with_max_bans(2);
    let mut pool = SessionPool::new(config);
    for name in ["a", "b", "c"] {
        add(&mut pool, name, None, ms(0));
    }
    let mut now = ms(0);
    let mut finish = |ending| {
        now = now + Duration::from_secs(100);
        let usage = pool.try_acquire(DELAY, now).unwrap();
        (id(&pool, usage).into(), pool.finish(usage, ending, now))
    };
    let expected: [(_, &str, _); 9] = [
        (Ending::Banned, "a", false),
        (Ending::TimedOut, "b", false),
        (Ending::Gone, "c", true),
        (Ending::Banned, "a", true),
        (Ending::Answered, "b", false),
        (Ending::TimedOut, "b", false),
        (Ending::NotSent, "b", false),
        (Ending::TimedOut, "b", true),
        (Ending::Answered, "", false),
    ];
    for (ending, session, retired) in expected.into_iter().take(8) {
        let got: (alloc::string::String, bool) = finish(ending);
        assert_eq!(got, (session.into(), retired));
    }
    assert_eq!(pool.stats().sessions, 0);
}

#[test]
fn names_keep_a_session_to_themselves() {
    let mut pool = pool(4);
    let place = pool.reserve(true, ms(0)).unwrap();
    let login = pool.add(place, "l", None, None, ms(0));
    assert_eq!(pool.try_acquire(DELAY, ms(0)), Err(Unavailable::Busy));
    assert!(pool.set_name(login, "login"));
    assert!(pool.set_name(login, "login"));
    assert_eq!(pool.named("login"), Some(login));
    add(&mut pool, "a", None, ms(0));
    let other = pool.find("a").unwrap();
    assert!(!pool.set_name(other, "login"));
    assert!(pool.set_name(other, "other"));
    assert_eq!(pool.reserve(true, ms(0)), None, "half of the pool stays anonymous");
    assert!(pool.reserve(false, ms(0)).is_some());
    let usage = pool.try_acquire_session(login, DELAY, ms(0)).unwrap();
    assert_eq!(pool.try_acquire_session(login, DELAY, ms(0)), Err(Unavailable::Busy));
    assert_eq!(pool.end_name("login"), Some(login));
    assert_eq!(pool.try_acquire(DELAY, ms(0)), Err(Unavailable::Busy));
    pool.finish(usage, Ending::Answered, ms(0));
    assert_eq!(pool.ready_at(ms(0)), Err(Unavailable::Until(ms(12_000))));
    assert_eq!(pool.stats().named, 1);
}

#[test]
fn the_limit_falls_at_once_and_grows_by_steps() {
    let mut pool = pool(10);
    for n in 0..4 {
        add(&mut pool, &format!("{n}"), None, ms(0));
    }
    pool.shrink();
    assert_eq!(pool.reserve(false, ms(0)), None);
    pool.grow(1);
    assert!(pool.reserve(false, ms(0)).is_some());
    assert_eq!(pool.reserve(false, ms(0)), None);
    pool.grow(100);
    assert_eq!(pool.stats().limit, 10);
}

/// Random uses against a list that is searched from end to end.
#[test]
fn keeps_every_address_at_its_pace() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let addresses = 1 + rng.up_to(3);
        let mut pool = pool(20);
        let mut now = ms(0);
        for n in 0..8 {
            let address = format!("{}", rng.up_to(addresses));
            add(&mut pool, &format!("s{n}"), Some(&address), now);
        }
        let mut uses: Vec<Use> = Vec::new();
        // Per address: when the service may have counted its last request, at the latest.
        let mut blocked: BTreeMap<u64, Timestamp> = BTreeMap::new();
        for _ in 0..400 {
            now = now + Duration::from_millis(rng.up_to(4_000));
            if rng.up_to(1) == 0
                && let Ok(usage) = pool.try_acquire(DELAY, now)
            {
                let address = pool.address(usage.session()).unwrap().parse().unwrap();
                let until = blocked.get(&address).copied().unwrap_or(ms(0));
                assert!(now >= until, "seed {seed}: {now:?} before {until:?}");
                assert!(uses.iter().all(|other| other.session() != usage.session()));
                blocked.insert(address, now + DELAY);
                uses.push(usage);
            } else if !uses.is_empty() {
                let index = usize::try_from(rng.up_to(99)).unwrap() % uses.len();
                let usage = uses.swap_remove(index);
                let ending = if rng.up_to(9) == 0 { Ending::TimedOut } else { Ending::Answered };
                pool.finish(usage, ending, now);
            }
        }
        assert_eq!(pool.stats().in_use, u32::try_from(uses.len()).unwrap());
    }
}
