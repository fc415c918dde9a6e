//! Whether a machine may send at all: pauses with a probe, stops, closing.

use core::time::Duration;

use super::{RequestId, form::saved_struct};
use crate::{
    Rng, Timestamp,
    schedule::{FailureClass, Progress, RetryPolicy},
};

/// What a verdict about the whole account leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reaction {
    /// The budget of the class is gone: the one that asked gives up.
    Exhausted,
    /// The machine waits.
    Paused,
    /// Somebody else has paused it already, or it is stopped.
    Known,
}

/// Whether sending is possible.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Passage {
    /// As much as there is.
    Open,
    /// One request, to see whether the service is back.
    Probe,
    /// Only the answer of the probe can tell.
    Probing,
    /// Not before this moment.
    Paused(Timestamp),
}

#[derive(Clone, Debug)]
struct Pause {
    until: Timestamp,
    progress: Progress,
    probe: Option<RequestId>,
}

/// A machine's gate. A limit of the account or of the whole service shuts it; when the wait is
/// over one probe goes through, and its answer opens the gate or shuts it again for longer. So a
/// storm is met by one request at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    pause: Option<Pause>,
    stopped: bool,
    grace: Option<Timestamp>,
}

impl Gate {
    pub(crate) fn passage(&self, now: Timestamp) -> Passage {
        match &self.pause {
            None => Passage::Open,
            Some(pause) if pause.probe.is_some() => Passage::Probing,
            Some(pause) if pause.until > now => Passage::Paused(pause.until),
            Some(_) => Passage::Probe,
        }
    }

    /// The probe that goes through the gate.
    pub(crate) fn set_probe(&mut self, id: RequestId) {
        if let Some(pause) = &mut self.pause {
            pause.probe = Some(id);
        }
    }

    fn is_probe(&self, id: RequestId) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.probe == Some(id))
    }

    /// An answer that asks the whole machine to wait. Only the first, and then each probe's, make
    /// the wait longer; others from the same storm say nothing new but the delay they ask for.
    pub(crate) fn shut(
        &mut self,
        id: RequestId,
        class: FailureClass,
        asked: Option<Duration>,
        policy: &RetryPolicy,
        now: Timestamp,
        rng: &mut Rng,
    ) -> Reaction {
        if self.stopped {
            return Reaction::Known;
        }
        let pause = self.pause.get_or_insert_with(|| Pause {
            until: now,
            progress: Progress::new(now),
            probe: None,
        });
        if pause.probe == Some(id) {
            pause.probe = None;
        } else if pause.progress.failures(class) > 0 {
            pause.until = pause.until.max(now + asked.unwrap_or_default());
            return Reaction::Known;
        }
        if let Some(wait) = policy.next(&mut pause.progress, class, asked, now, rng) {
            pause.until = pause.until.max(now + wait);
            return Reaction::Paused;
        }
        // Whoever is next begins with a budget of their own, after a wait like this one's.
        let failures = pause.progress.failures(class);
        let wait = policy.rule(class).wait.after(failures, rng).max(asked.unwrap_or_default());
        pause.until = pause.until.max(now + wait);
        pause.progress = Progress::new(now);
        Reaction::Exhausted
    }

    /// An answer that says nothing against sending. Of the probe, it opens the gate.
    pub(crate) fn answered(&mut self, id: RequestId) {
        if self.is_probe(id) {
            self.pause = None;
        }
    }

    /// The probe was lost: another one goes after a wait.
    pub(crate) fn lost(
        &mut self,
        id: RequestId,
        policy: &RetryPolicy,
        now: Timestamp,
        rng: &mut Rng,
    ) {
        if self.is_probe(id)
            && let Some(pause) = &mut self.pause
        {
            pause.probe = None;
            let wait = policy.rule(FailureClass::Network).wait.after(1, rng);
            pause.until = pause.until.max(now + wait);
        }
    }

    /// Tries in a row that found it shut.
    pub(crate) fn failures(&self) -> u32 {
        self.pause.as_ref().map_or(0, |pause| pause.progress.failures(FailureClass::Throttled))
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.pause.is_some() && !self.stopped
    }

    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Ends a stop, and a pause with it.
    pub(crate) fn resume(&mut self) {
        self.stopped = false;
        self.pause = None;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Begins to close; what is in flight has until `grace`. The earlier of two ends counts.
    pub(crate) fn close(&mut self, grace: Timestamp) {
        self.grace = Some(self.grace.map_or(grace, |known| known.min(grace)));
    }

    pub(crate) fn grace(&self) -> Option<Timestamp> {
        self.grace
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.grace.is_some()
    }

    /// What is left of a pause, for a snapshot: the wait, and failures so far by class.
    pub(crate) fn save(&self, now: Timestamp) -> SavedGate {
        let pause = self.pause.as_ref().map(|pause| SavedPause {
            wait_us: super::clock::age(now, pause.until),
            throttled: pause.progress.failures(FailureClass::Throttled),
            account: pause.progress.failures(FailureClass::Account),
        });
        SavedGate { stopped: self.stopped, closing: self.is_closing(), pause }
    }

    /// A gate as it was saved, `elapsed` ago. One that was closing is shut for good.
    pub(crate) fn take_back(saved: &SavedGate, elapsed: Duration, now: Timestamp) -> Self {
        let pause = saved.pause.as_ref().map(|pause| {
            let count = |failures: u32| u16::try_from(failures).unwrap_or(u16::MAX);
            let failures = [
                (FailureClass::Throttled, count(pause.throttled)),
                (FailureClass::Account, count(pause.account)),
            ];
            Pause {
                until: now + Duration::from_micros(pause.wait_us).saturating_sub(elapsed),
                progress: Progress::restored(now, (now, None), failures),
                probe: None,
            }
        });
        Self { pause, stopped: saved.stopped, grace: saved.closing.then_some(now) }
    }
}

/// A gate in a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedGate {
    stopped: bool,
    closing: bool,
    pause: Option<SavedPause>,
}

#[derive(Clone, Debug, Default)]
struct SavedPause {
    wait_us: u64,
    throttled: u32,
    account: u32,
}

saved_struct!(SavedGate { stopped, closing; pause });
saved_struct!(SavedPause { wait_us, throttled, account; });

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_storm_is_met_by_one_probe() {
        let policy = RetryPolicy::default();
        let (mut gate, mut rng) = (Gate::default(), Rng::new(1));
        let id = RequestId::from_u64;
        let mut shut = |gate: &mut Gate, number, asked, now| {
            let class = FailureClass::Throttled;
            gate.shut(id(number), class, asked, &policy, at(now), &mut rng)
        };
        assert_eq!(gate.passage(at(0)), Passage::Open);
        assert_eq!(shut(&mut gate, 1, None, 0), Reaction::Paused);
        assert_eq!(shut(&mut gate, 2, Some(Duration::from_secs(100)), 1), Reaction::Known);
        assert_eq!(gate.passage(at(50)), Passage::Paused(at(101)));
        assert_eq!(gate.passage(at(101)), Passage::Probe);
        gate.set_probe(id(3));
        assert_eq!(gate.passage(at(101)), Passage::Probing);
        gate.answered(id(2));
        assert!(gate.is_paused(), "an answer from before the pause proves nothing");
        assert_eq!(shut(&mut gate, 3, None, 102), Reaction::Paused);
        let Passage::Paused(until) = gate.passage(at(102)) else { panic!() };
        assert!(until >= at(122) && until <= at(142));
        gate.set_probe(id(4));
        gate.lost(id(4), &policy, at(200), &mut rng);
        let Passage::Paused(until) = gate.passage(at(200)) else { panic!() };
        assert!(until >= at(203) && until <= at(208));
        gate.set_probe(id(5));
        gate.answered(id(5));
        assert_eq!(gate.passage(at(200)), Passage::Open);
    }

    #[test]
    fn an_exhausted_budget_leaves_the_next_one_its_own() {
        let policy = RetryPolicy::default();
        let (mut gate, mut rng) = (Gate::default(), Rng::new(1));
        let class = FailureClass::Account;
        for number in 1..3 {
            let id = RequestId::from_u64(number);
            gate.set_probe(id);
            let reaction = gate.shut(id, class, None, &policy, at(0), &mut rng);
            assert_eq!(reaction, Reaction::Exhausted);
        }
        gate.stop();
        let id = RequestId::from_u64(9);
        assert_eq!(gate.shut(id, class, None, &policy, at(0), &mut rng), Reaction::Known);
        gate.resume();
        assert_eq!(gate.passage(at(0)), Passage::Open);
    }

    #[test]
    fn a_pause_comes_back_with_what_is_left_of_it() {
        let policy = RetryPolicy::default();
        let (mut gate, mut rng) = (Gate::default(), Rng::new(1));
        let (id, class) = (RequestId::from_u64(1), FailureClass::Throttled);
        gate.shut(id, class, Some(Duration::from_secs(100)), &policy, at(0), &mut rng);
        let saved = gate.save(at(10));
        let restored = Gate::take_back(&saved, Duration::from_secs(20), at(5));
        assert_eq!(restored.passage(at(5)), Passage::Paused(at(75)));
    }
}
