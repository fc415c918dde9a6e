//! Which keys a service knows.

use alloc::{collections::BTreeSet, string::String};
use core::fmt;

use crate::http::basic_credentials;

/// The keys of a service's users.
///
/// Keys show neither in `Debug` nor in any answer or count.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Keys {
    known: Option<BTreeSet<String>>,
    disabled: BTreeSet<String>,
}

/// What a request's authorization is worth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// No readable Basic authorization, or one without a user.
    Missing,
    /// A key that nobody has.
    Unknown,
    /// The key of an account that has been disabled.
    Disabled,
    /// A good key.
    Granted(String),
}

impl Keys {
    /// Any non-empty key is good.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only these keys are good.
    pub fn only(keys: impl IntoIterator<Item = String>) -> Self {
        Self { known: Some(keys.into_iter().collect()), ..Self::default() }
    }

    /// These keys belong to disabled accounts, whether or not they are known otherwise.
    #[must_use]
    pub fn with_disabled(self, keys: impl IntoIterator<Item = String>) -> Self {
        Self { disabled: keys.into_iter().collect(), ..self }
    }

    /// Judges the value of `Authorization` or `Proxy-Authorization`: the key is the user, the
    /// password is not looked at (Automatic Extraction API docs, How the API works).
    pub(crate) fn access(&self, authorization: Option<&str>) -> Access {
        let Some((key, _)) = authorization.and_then(basic_credentials) else {
            return Access::Missing;
        };
        if key.is_empty() {
            Access::Missing
        } else if self.disabled.contains(&key) {
            Access::Disabled
        } else if self.known.as_ref().is_some_and(|known| !known.contains(&key)) {
            Access::Unknown
        } else {
            Access::Granted(key)
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("known", &self.known.as_ref().map(BTreeSet::len))
            .field("disabled", &self.disabled.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;
    use crate::http::ApiKey;

    #[test]
    fn a_key_is_judged_and_never_shown() {
        let basic = |key: &str| ApiKey::new(key).unwrap().basic();
        let keys = Keys::only(vec!["alpha".into()]).with_disabled(vec!["omega".into()]);
        assert_eq!(keys.access(Some(&basic("alpha"))), Access::Granted("alpha".into()));
        assert_eq!(keys.access(Some(&basic("beta"))), Access::Unknown);
        assert_eq!(keys.access(Some(&basic("omega"))), Access::Disabled);
        assert_eq!(keys.access(Some("Bearer alpha")), Access::Missing);
        assert_eq!(keys.access(Some("Basic Og==")), Access::Missing);
        assert_eq!(keys.access(None), Access::Missing);
        assert_eq!(Keys::any().access(Some(&basic("x"))), Access::Granted("x".into()));
        let shown = format!("{keys:?}");
        assert!(!shown.contains("alpha") && !shown.contains("omega"), "{shown}");
    }
}
