//! Who owns a resource, according to its tags.

use super::name::Names;
use super::tags::Tags;

/// The tag that says how long a stage is needed after its last deploy, as the manifest spells it.
pub const EXPIRES: &str = "lamstream:expires";

/// The owner of a resource, according to its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The resource has exactly this function's tags. A log group that functions may share has those of the app.
    Us,
    /// The resource was created by hand, by another tool, or for another app.
    Foreign,
}

impl Names {
    /// The tags that mark a resource as ours.
    pub fn owner_tags(&self) -> Tags {
        let mut tags = Tags::default();
        tags.insert("lamstream:app", &self.app);
        tags.insert("lamstream:function", &self.function);
        tags.insert("lamstream:region", &self.region);
        if let Some(stage) = &self.stage {
            tags.insert("lamstream:stage", stage);
        }
        tags
    }

    /// The tags of a log group that functions of the app may share, in any stage; `None` if the function has its own.
    pub fn shared_tags(&self) -> Option<Tags> {
        let shared = |(name, _): &(&str, &str)| ["lamstream:app", "lamstream:region"].contains(name);
        self.log_group.is_some().then(|| self.owner_tags().iter().filter(shared).collect())
    }
}

impl Tags {
    pub fn owner(&self, names: &Names) -> Owner {
        let ours = names.owner_tags();
        let stage_agrees = self.get("lamstream:stage") == ours.get("lamstream:stage");
        if stage_agrees && ours.missing_in(self).is_empty() { Owner::Us } else { Owner::Foreign }
    }
}
