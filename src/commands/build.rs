//! `lamstream build`: packages on disk, for a pipeline to deploy later.

use super::package::package;
use super::run::Run;
use super::site::platform;
use crate::cli::Build;
use crate::failure::{Failure, Kind};
use crate::report::{Answer, FunctionAnswer, Zip};

pub async fn build(run: &Run, arguments: &Build) -> Result<Answer, Failure> {
    let mut project = run.project(&arguments.functions)?;
    let zip_of = |name: &str| arguments.out.join(format!("{name}.zip"));
    project.written.extend(project.manifest.functions.iter().map(|function| zip_of(&function.name)));
    let mut answer = Answer { stage: project.manifest.stage.clone(), ..Answer::new("build") };
    for function in &project.functions {
        let mut platform = platform(function, run.global.local);
        platform.architecture = arguments.arch.unwrap_or(platform.architecture);
        let package = package(run, &project, function, &platform, None).await?;
        let path = zip_of(&function.name);
        std::fs::create_dir_all(&arguments.out).and_then(|()| std::fs::write(&path, &package.zip)).map_err(
            |error| Failure::new(Kind::Build, format!("cannot write the package `{}`: {error}", path.display())),
        )?;
        let zip = Zip { path: path.display().to_string(), sha256: package.sha256.clone(), size: package.size() };
        answer.functions.push(FunctionAnswer {
            name: function.name.clone(),
            zip: Some(zip),
            ..FunctionAnswer::default()
        });
    }
    Ok(answer)
}
