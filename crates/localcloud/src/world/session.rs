//! A session of a role: temporary credentials.

use serde::{Deserialize, Serialize};

use super::role::Role;

use crate::clock::Millis;
use crate::options::ACCOUNT;
use crate::random::{self, Alphabet};

/// How long an expired session is remembered, so that its error is not that of an unknown one.
const REMEMBERED: Millis = 24 * 3600 * 1000;

/// The credentials that AssumeRole returned.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) token: String,
    /// The role's id and the session's name.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) expires: Millis,
}

impl Session {
    pub(crate) fn new(role: &Role, name: &str, expires: Millis) -> Self {
        let partition = role.arn.split(':').nth(1).unwrap_or("aws");
        Self {
            access_key_id: format!("LOCT{}", random::text(16, Alphabet::Upper)),
            secret_access_key: random::text(40, Alphabet::Alphanumeric),
            token: random::text(160, Alphabet::Alphanumeric),
            id: format!("{}:{name}", role.id),
            arn: format!("arn:{partition}:sts::{ACCOUNT}:assumed-role/{}/{name}", role.name),
            expires,
        }
    }

    pub(crate) fn is_over(&self, now: Millis) -> bool {
        self.expires <= now
    }

    /// Whether it expired so long ago that it can be forgotten.
    pub(crate) fn is_long_over(&self, now: Millis) -> bool {
        self.expires + REMEMBERED <= now
    }
}
