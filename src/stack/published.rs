//! A published version, and its share of the traffic.

use super::caller::Caller;
use super::live::Weight;
use super::origin::Origin;
use super::release::Release;

#[derive(Clone, Debug)]
pub struct Published {
    pub version: String,
    /// When it was published, as Lambda writes it: `2026-11-22T18:00:00.123+0000`.
    pub at: Option<String>,
    pub origin: Origin,
    /// When it became live; `None` if it is not, or if that is not known.
    pub arrival: Option<Arrival>,
    pub release: Release,
    /// Whether `live` remembers it as the previous version.
    pub is_previous: bool,
    pub share: Share,
    pub verdict: Verdict,
}

/// The moment at which `live` was moved to the version that it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Seconds since 1970.
    pub at: i64,
    /// The caller that moved it.
    pub by: Option<Caller>,
}

/// Whether a version passed its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Verified,
    Failed,
    /// The version was not checked, or the run that checked it ended before the result.
    Unverified,
}

impl Verdict {
    /// The verdict's name in our text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Failed => "failed",
            Verdict::Unverified => "unverified",
        }
    }
}

/// The share of the traffic that a version gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    None,
    /// All traffic.
    Whole,
    /// All traffic except the share that a shift gives to another version.
    Rest(Weight),
    /// The share that a shift gives to this version.
    Part(Weight),
}
