use crate::networks::Networks;

/// Clients whose treatment does not depend on a score.
///
/// An address that both lists name is allowed: the list of exceptions is the shorter one, and is kept by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressLists {
    /// Always allowed.
    pub allow: Networks,
    /// Always refused, unless allowed.
    pub deny: Networks,
}
