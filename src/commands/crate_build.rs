//! Builds of crates. Functions with the same crate, binary and settings share one: cargo runs once, and one zip is made.

use crate::failure::Failure;
use packaging::{Assembled, Beside, BuildError, BuildOptions, Built, Machine, Prepared, Toolset};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A build that was checked, or what is wrong with it.
type Checked = OnceCell<Result<Arc<CrateBuild>, Vec<BuildError>>>;

/// The builds of one run, by what was asked for.
#[derive(Default)]
pub(super) struct CrateBuilds(Mutex<Vec<(BuildOptions, Arc<Checked>)>>);

impl CrateBuilds {
    /// Checks a build, unless another function has asked for the same.
    ///
    /// # Errors
    /// Those of [`packaging::prepare`].
    pub(super) async fn check(&self, options: BuildOptions) -> Result<Arc<CrateBuild>, Vec<BuildError>> {
        let checked = self.cell(&options);
        checked.get_or_init(|| CrateBuild::check(&options)).await.clone()
    }

    fn cell(&self, options: &BuildOptions) -> Arc<Checked> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, checked)) = known.iter().find(|(known, _)| known == options) {
            return checked.clone();
        }
        let checked = Arc::<Checked>::default();
        known.push((options.clone(), checked.clone()));
        checked
    }
}

/// A crate's build, before and after it was made.
pub(super) struct CrateBuild {
    pub toolset: Toolset,
    /// Whether cargo runs a script of the crate that may write files of its directory.
    pub has_script: bool,
    machine: Machine,
    state: tokio::sync::Mutex<State>,
    /// The packages of the binary, by what is packaged with it.
    packages: Mutex<Vec<(Beside, Assembled)>>,
}

enum State {
    Checked(Box<Prepared>),
    Ended(Box<Result<Arc<Built>, Failure>>),
}

impl CrateBuild {
    /// Checks a build that no other function shares.
    ///
    /// # Errors
    /// Those of [`packaging::prepare`].
    pub(super) async fn check(options: &BuildOptions) -> Result<Arc<CrateBuild>, Vec<BuildError>> {
        let prepared = packaging::prepare(options).await?;
        Ok(Arc::new(CrateBuild {
            toolset: prepared.toolset.clone(),
            has_script: prepared.has_script(),
            machine: options.machine,
            state: State::Checked(Box::new(prepared)).into(),
            packages: Mutex::default(),
        }))
    }

    /// The binary. The first call makes it with `compile`, and the others wait for that.
    ///
    /// # Errors
    /// With the error of `compile`, for all functions.
    pub(super) async fn built(
        &self,
        compile: impl AsyncFnOnce(Prepared) -> Result<Built, Failure>,
    ) -> Result<Arc<Built>, Failure> {
        let mut state = self.state.lock().await;
        // What remains if the call is dropped.
        let dropped = BuildError::new("the build was stopped before it ended");
        let ended = match std::mem::replace(&mut *state, State::Ended(Box::new(Err(dropped.into())))) {
            State::Checked(prepared) => compile(*prepared).await.map(Arc::new),
            State::Ended(ended) => *ended,
        };
        *state = State::Ended(Box::new(ended.clone()));
        ended
    }

    /// The package of the binary with the files beside it. Its notes are those of the first call only.
    ///
    /// # Errors
    /// Those of [`Beside::package`].
    pub(super) fn package(&self, built: &Built, beside: &Beside) -> Result<Assembled, BuildError> {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = packages.iter().find(|(known, _)| known == beside) {
            return Ok(Assembled { package: made.package.clone(), notes: Vec::new() });
        }
        let made = beside.package(built, self.machine)?;
        packages.push((beside.clone(), Assembled { package: made.package.clone(), notes: Vec::new() }));
        Ok(made)
    }
}
