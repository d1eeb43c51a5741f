//! `lamstream import cargo-lambda`.

use super::{Beside, Destination, ManifestRules, answer, failure, read, region, resolved};
use crate::cli::ImportCargoLambda;
use crate::commands::session::Session;
use crate::failure::{Failure, FailureKind};
use crate::report::Answer;
use import::{Binary, Options, Package, Workspace};
use std::path::Path;

const CONFIG: &str = "CargoLambda.toml";
const HINT: &str = "name the directory of a crate or a workspace: `lamstream import cargo-lambda DIR`";

pub(super) async fn cargo_lambda(session: &Session, arguments: &ImportCargoLambda) -> Result<Answer, Failure> {
    let destination = Destination::new(&arguments.out)?;
    let directory = resolved(&arguments.directory);
    if !directory.join("Cargo.toml").is_file() {
        let message = format!("`{}` has no `Cargo.toml`", arguments.directory.display());
        return Err(Failure::new(FailureKind::Manifest, message).hint(HINT));
    }
    let found = session.read("the crates", packaging::Workspace::read(&directory)).await??;
    let path_of = |directory: &Path| destination.path_to(directory).to_string_lossy().into_owned();
    let workspace = described(&found, &directory, &path_of)?;
    let region = region(session);
    let options = Options {
        app: &directory.file_name().unwrap_or_default().to_string_lossy(),
        region: region.as_deref(),
        account: None,
        template_directory: "",
        rules: &ManifestRules,
        files: &Beside(found.directory.clone()),
    };
    let imported = import::cargo_lambda(&workspace, options);
    let imported = imported.map_err(|invalid| failure("the configuration of cargo-lambda", invalid))?;
    destination.finish(session, imported).map(answer)
}

/// The workspace as the import reads it. In the directory of a package, only that package counts. `path_of` gives the path
/// from the manifest to a package.
pub(super) fn described(
    found: &packaging::Workspace,
    directory: &Path,
    path_of: &dyn Fn(&Path) -> String,
) -> Result<Workspace, Failure> {
    let is_wanted = |member: &&packaging::Member| found.directory == *directory || member.directory == *directory;
    let packages = found.packages.iter().filter(is_wanted).map(|member| {
        Ok(Package {
            name: member.name.clone(),
            directory: member
                .directory
                .strip_prefix(&found.directory)
                .unwrap_or(&member.directory)
                .to_string_lossy()
                .into_owned(),
            path: path_of(&member.directory),
            manifest: read(&member.directory.join("Cargo.toml"), HINT)?,
            binaries: member
                .binaries
                .iter()
                .map(|(name, missing)| Binary { name: name.clone(), missing_features: missing.clone() })
                .collect(),
            features: member.features.clone(),
            dependencies: member.dependencies.clone(),
        })
    });
    let packages = packages.collect::<Result<Vec<Package>, Failure>>()?;
    // cargo-lambda reads it in the directory in which it runs.
    let config = [directory, &found.directory].into_iter().map(|directory| directory.join(CONFIG));
    let config = config.into_iter().find(|path| path.is_file());
    let config = config.map(|path| read(&path, HINT).map(|text| (CONFIG.to_owned(), text))).transpose()?;
    Ok(Workspace { packages, manifest: read(&found.directory.join("Cargo.toml"), HINT)?, config })
}
