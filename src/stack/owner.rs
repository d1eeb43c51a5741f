//! Whose a resource is, which its tags say.

use super::name::Names;
use super::tags::Tags;

/// Whose a resource is, as far as its tags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It carries the tags of exactly this function.
    Us,
    /// It does not: it was made by hand, by another tool, or for another app.
    Stranger,
}

impl Names {
    /// The tags by which a resource is known to be ours.
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
}

impl Tags {
    pub fn owner(&self, names: &Names) -> Owner {
        let ours = names.owner_tags();
        let stage_agrees = self.get("lamstream:stage") == ours.get("lamstream:stage");
        if stage_agrees && ours.missing_in(self).is_empty() { Owner::Us } else { Owner::Stranger }
    }
}
