//! A published version, and its share of the traffic.

use super::live::Weight;
use super::release::Release;

#[derive(Clone, Debug)]
pub struct Published {
    pub version: String,
    /// When it was published, as Lambda writes it: `2026-11-22T18:00:00.123+0000`.
    pub at: String,
    /// Where its code comes from, as said when it was published; empty if unknown.
    pub origin: String,
    pub release: Release,
    /// Whether `live` remembers it as the one before.
    pub is_previous: bool,
    pub share: Share,
    pub verdict: Verdict,
}

/// Whether a version was seen to answer its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Verified,
    Failed,
    /// It was not asked, or the run that asked it ended before the answer.
    Unverified,
}

impl Verdict {
    /// As our text and JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Failed => "failed",
            Verdict::Unverified => "unverified",
        }
    }
}

/// How much of the traffic a version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    None,
    /// All of it.
    Whole,
    /// All but what a shift gives to another.
    Rest(Weight),
    /// What a shift gives it.
    Part(Weight),
}
