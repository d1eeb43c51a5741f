//! The alias `live` after its statements have changed, which gives it another revision.

use super::alias;
use super::current::Current;
use super::routing::Alias;

/// The alias as it was read again.
pub struct Fresh(Alias);

impl Current<'_> {
    /// Reads the alias again if its revision is out of date, so that the next write need not do it. `None` if it need not,
    /// or cannot be read.
    pub async fn freshen(&self) -> Option<Fresh> {
        if !self.is_alias_stale {
            return None;
        }
        let alias = alias::observe(&self.place).await.ok()??;
        Some(Fresh(alias.without_warming(self.observed.stack.provisioned)))
    }

    /// Uses the alias that was read again. If it moved, the next write finds out what that means.
    pub fn refresh(&mut self, fresh: Option<Fresh>) {
        let Some(Fresh(alias)) = fresh else { return };
        if self.alias.as_ref().is_some_and(|seen| seen.routing == alias.routing) {
            self.is_alias_stale = false;
            self.alias = Some(alias);
        }
    }
}
