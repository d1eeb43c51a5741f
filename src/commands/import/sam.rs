//! `lamstream import sam`.

use super::{Beside, Destination, ManifestRules, answer, failure, found, name, read, region, resolved};
use crate::cli::ImportSam;
use crate::commands::session::Session;
use crate::failure::Failure;
use crate::report::Answer;
use import::{File, Options};
use std::path::Path;

/// The file names that lamstream looks for if none is given.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];
const CONFIGS: [&str; 3] = ["samconfig.toml", "samconfig.yaml", "samconfig.yml"];
const HINT: &str = "name an existing template: `lamstream import sam FILE`";

pub(super) fn sam(session: &Session, arguments: &ImportSam) -> Result<Answer, Failure> {
    let template = match &arguments.template {
        Some(path) => path.clone(),
        None => found(Path::new(""), &TEMPLATES).ok_or_else(Failure::no_template)?,
    };
    let destination = Destination::new(&arguments.out)?;
    let text = read(&template, HINT)?;
    let beside = template.parent().unwrap_or(Path::new(""));
    let config = found(beside, &CONFIGS);
    let config = config.map(|path| read(&path, HINT).map(|text| (name(&path), text))).transpose()?;
    let directory = resolved(beside);
    let region = region(session);
    let template_directory = destination.path_to(beside);
    let options = Options {
        app: &directory.file_name().unwrap_or_default().to_string_lossy(),
        region: region.as_deref(),
        account: arguments.account.as_deref(),
        template_directory: &template_directory.to_string_lossy(),
        rules: &ManifestRules,
        files: &Beside(directory.clone()),
    };
    let config = config.as_ref().map(|(name, text)| File { name, text });
    let imported = import::sam(File { name: &name(&template), text: &text }, config, options);
    let imported = imported.map_err(|invalid| failure("the template", invalid))?;
    destination.finish(session, imported).map(answer)
}
