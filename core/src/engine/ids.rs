//! Numbers by which driver and machine speak of jobs and requests.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        ///
        /// A counter from 1 on, far below 2^53, so that every language can hold it as a number.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The id with this number.
            pub const fn from_u64(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn as_u64(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A job, as long as it is unfinished.
    JobId
}
id! {
    /// A request handed to the driver.
    RequestId
}
