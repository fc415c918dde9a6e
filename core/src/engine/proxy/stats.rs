//! An engine's numbers.

use super::super::form::saved_struct;
use crate::schedule::PoolStats;

macro_rules! numbers {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// The numbers of a [`ProxyEngine`](super::ProxyEngine), since it was made or since the
        /// snapshots that it comes from began.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        #[non_exhaustive]
        pub struct ProxyStats {
            $($(#[$doc])+ pub $name: u64,)+
            /// Jobs that can be sent as soon as slots and sessions let them.
            pub queued: u32,
            /// Jobs that wait before another try.
            pub waiting: u32,
            /// Jobs unfinished.
            pub unfinished: u32,
            /// Requests under way, with calls of the sessions API.
            pub in_flight: u32,
            /// How many requests may be under way at the moment.
            pub concurrency: u32,
            /// Names that have a session, or jobs.
            pub names: u32,
            /// The pool's numbers.
            pub pool: PoolStats,
            /// Whether the machine waits because of a limit of the account or the service.
            pub paused: bool,
            /// Whether it is stopped because the account is refused.
            pub stopped: bool,
        }

        /// The numbers that only grow, as a snapshot keeps them.
        #[derive(Clone, Copy, Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: u64,)+
        }

        saved_struct!(Counters {; $($name),+ });

        impl Counters {
            pub(super) fn stats(self) -> ProxyStats {
                ProxyStats { $($name: self.$name,)+ ..ProxyStats::default() }
            }
        }
    };
}

numbers! {
    /// Jobs taken in.
    submitted,
    /// Jobs that ended with an answer of the target.
    succeeded,
    /// Jobs that ended with an error, other than those of the next two.
    failed,
    /// Jobs that ended because they were cancelled.
    cancelled,
    /// Jobs that ended because the machine was closed.
    closed,
    /// Requests handed out for jobs.
    requests,
    /// Tries beyond the first of their job.
    retries,
    /// Calls of the sessions API handed out.
    calls,
    /// Answers that are billed.
    billed,
    /// Answers that are not: errors of the service.
    unbilled,
    /// Requests of which nobody knows, because their answer was lost.
    possibly_billed,
    /// Answers that asked the whole machine to wait.
    throttled,
    /// Answers that asked for a slower pace of their session.
    slowed,
    /// Answers that were bans, by the service's or the application's word.
    bans,
    /// Requests given up at their deadline.
    timed_out,
    /// Answers that came after that.
    late,
    /// Sessions made.
    sessions_created,
    /// Sessions taken over from an earlier process.
    sessions_adopted,
    /// Sessions deleted at the service.
    sessions_deleted,
    /// Sessions that the service did not know any more.
    sessions_gone,
    /// Sessions retired after bans or time-outs.
    sessions_retired,
    /// Sessions dropped because nothing was sent through them for too long.
    sessions_expired,
    /// Times that the service had no room for a further session.
    session_limits,
}
