//! A secret of Secrets Manager, with its versions and their stages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tags::Tags;

use crate::clock::Millis;
use crate::options::ACCOUNT;
use crate::random::{self, Alphabet};
use crate::wire::partition::partition;

/// The stage of the default version.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// The stage of the previous version.
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    /// The scheduled moment of its deletion.
    pub(crate) deleted: Option<Millis>,
    /// By VersionId.
    pub(crate) versions: BTreeMap<String, SecretVersion>,
}

/// One version of a secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SecretVersion {
    pub(crate) content: Content,
    pub(crate) stages: Vec<String>,
    pub(crate) created: Millis,
}

/// The secret value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    Text(String),
    /// In base64.
    Bytes(String),
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion").field("content", &"…").field("stages", &self.stages).finish()
    }
}

impl Secret {
    /// Adds a version. Each stage belongs to one version; the version that was current becomes the previous one.
    pub(crate) fn add(&mut self, id: &str, content: Content, stages: &[String], now: Millis) {
        let before = self.version_at(CURRENT).map(|(id, _)| id.to_owned());
        let moves = stages.iter().any(|stage| stage == CURRENT) && before.is_some();
        for version in self.versions.values_mut() {
            version.stages.retain(|stage| !(stages.contains(stage) || moves && stage == PREVIOUS));
        }
        if let Some(version) = before.filter(|_| moves).and_then(|id| self.versions.get_mut(&id)) {
            version.stages.push(PREVIOUS.to_owned());
        }
        self.versions.insert(id.to_owned(), SecretVersion { content, stages: stages.to_vec(), created: now });
        // A version without a stage is deprecated; AWS deletes it eventually.
        self.versions.retain(|_, version| !version.stages.is_empty());
    }

    /// The version at a stage, with its id.
    pub(crate) fn version_at(&self, stage: &str) -> Option<(&str, &SecretVersion)> {
        let mut versions = self.versions.iter();
        versions.find(|(_, version)| version.stages.iter().any(|held| held == stage)).map(|(id, v)| (id.as_str(), v))
    }
}

/// The ARN of a new secret: AWS adds six random letters to the name.
pub(crate) fn arn(region: &str, name: &str) -> String {
    let letters = random::text(6, Alphabet::Alphanumeric);
    format!("arn:{}:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{letters}", partition(region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_version_becomes_the_previous_one() {
        let mut secret = Secret {
            arn: String::new(),
            description: None,
            tags: Tags::new(),
            deleted: None,
            versions: BTreeMap::new(),
        };
        for id in ["a", "b", "c"] {
            secret.add(id, Content::Text(id.into()), &[CURRENT.to_owned()], 0);
        }
        let at = |stage| secret.version_at(stage).map(|(id, _)| id);
        assert_eq!((at(CURRENT), at(PREVIOUS), secret.versions.len()), (Some("c"), Some("b"), 2));
    }
}
