//! What has to be there before an instance's processes can be started, and how they are started.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tokio::process::Child;
use tokio::sync::mpsc;

use super::companions::{Companions, programs};
use super::mounts::{self, View};
use super::port::Claim;
use super::spawn::Spawner;
use super::tag::Mark;
use super::{Blueprint, binary, environment, language, layers};
use crate::cloud::Cloud;
use crate::extension::Extensions;
use crate::runtime::Word;
use crate::uses::Use;
use crate::world::configuration::Layer;

/// The variable with the script that is started in the place of a runtime with a language.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// Why an instance cannot be started, by the function's own fault.
#[derive(Debug)]
pub(super) struct Unstartable(pub(super) String);

impl std::fmt::Display for Unstartable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unstartable {}

/// What connects an instance's processes with the cloud.
pub(super) struct Wires {
    /// Of the Runtime API.
    pub(super) address: String,
    /// The log stream's name.
    pub(super) stream: String,
    /// What they are known by.
    pub(super) mark: Mark,
    /// Where they print.
    pub(super) writer: std::io::PipeWriter,
}

/// Everything that the processes of one instance have in common.
pub(super) struct Preparation {
    root: PathBuf,
    own: PathBuf,
    /// The function's layers, if it has any.
    opt: Option<PathBuf>,
    /// Keeps them there; for the instance to hold.
    pub(super) opt_use: Option<Use>,
    /// Whether processes find them at `/opt` itself.
    mounted: bool,
    /// A web app's own port.
    pub(super) port: Option<Claim>,
    /// What is worth a line in both logs.
    pub(super) warnings: Vec<String>,
}

impl Preparation {
    /// Gathers the layers, and the interpreter of a runtime with a language. `own` is the instance's directory.
    pub(super) fn of(cloud: &Cloud, blueprint: &Blueprint, own: &Path) -> anyhow::Result<Self> {
        let mut warnings = Vec::new();
        let (opt, opt_use) = layers::directory(cloud, &blueprint.configuration.layers)?.unzip();
        let refusal = match (&opt, cloud.options.mount_layers) {
            (None, _) => None,
            (Some(_), true) => mounts::refusal(),
            (Some(_), false) => Some("it was started so"),
        };
        if let (Some(why), Some(opt)) = (refusal, &opt) {
            warnings.push(format!("layers are not at /opt but at `{}`: they cannot be mounted: {why}", opt.display()));
        }
        warnings.extend(language::provide(&blueprint.configuration.runtime, &own.join("bin"))?);
        let is_web = blueprint.configuration.layers.iter().any(Layer::is_adapter);
        let port = is_web.then(|| Claim::make(blueprint.configuration.variables())).transpose()?;
        warnings.extend(port.as_ref().and_then(Claim::warning));
        let root = cloud.data.code(&blueprint.code.digest);
        let mounted = opt.is_some() && refusal.is_none();
        Ok(Self { root, own: own.to_owned(), mounted, opt, opt_use, port, warnings })
    }

    /// The view of the file system for one process.
    fn view(&self) -> std::io::Result<Option<View>> {
        self.opt.as_deref().filter(|_| self.mounted).map(View::of).transpose()
    }

    /// The runtime: the function's own `bootstrap`, or what its wrapper makes of a runtime with a language.
    pub(super) fn runtime(&self, blueprint: &Blueprint) -> anyhow::Result<Command> {
        let configuration = &blueprint.configuration;
        if configuration.runtime.starts_with("provided.") {
            let bootstrap = self.root.join("bootstrap");
            binary::refuse_foreign(&bootstrap)?;
            return Ok(Command::new(bootstrap));
        }
        let Some(wrapper) = configuration.variables().get(WRAPPER) else {
            let runtime = &configuration.runtime;
            return Err(Unstartable(format!(
                "the local cloud has no runtime of its own for `{runtime}`: it runs what a wrapper starts ({WRAPPER}), \
                 as Lambda Web Adapter's does"
            ))
            .into());
        };
        let real = self.real(wrapper);
        if !real.is_file() {
            return Err(Unstartable(format!("{WRAPPER} is `{wrapper}`, and there is no such file")).into());
        }
        let mut command = Command::new(if self.mounted { Path::new(wrapper) } else { &real });
        // What it would have to start if it changed nothing; there is none here.
        command.arg("/var/runtime/bootstrap");
        Ok(command)
    }

    /// A path as a process with layers would see it.
    fn real(&self, path: &str) -> PathBuf {
        match (&self.opt, path.strip_prefix("/opt/")) {
            (Some(opt), Some(below)) => opt.join(below),
            _ => PathBuf::from(path),
        }
    }

    /// The extensions among the layers.
    fn extensions(&self) -> Vec<(String, Command)> {
        let programs = self.opt.as_deref().map(programs).unwrap_or_default();
        let command = |(name, real): (String, PathBuf)| {
            let path = if self.mounted { Path::new("/opt/extensions").join(&name) } else { real };
            (name, Command::new(path))
        };
        programs.into_iter().map(command).collect()
    }

    /// Starts the extensions, then the runtime; and says who has to register.
    pub(super) async fn start(
        &self,
        mut runtime: Command,
        spawner: &Spawner,
        blueprint: &Blueprint,
        wires: &Wires,
        words: &mpsc::UnboundedSender<Word>,
    ) -> anyhow::Result<(Child, Companions, Extensions)> {
        let mut companions = Companions::default();
        let extensions = self.extensions();
        let expected = self.expecting(blueprint, &extensions);
        for (name, mut command) in extensions {
            self.equip(&mut command, blueprint, wires)?;
            let started = spawner.spawn(command, self.view()?, wires.mark.tag).await;
            let child =
                started.map_err(|error| Unstartable(format!("the extension `{name}` cannot be started: {error}")))?;
            companions.add(name, child, words.clone());
        }
        self.equip(&mut runtime, blueprint, wires)?;
        Ok((spawner.spawn(runtime, self.view()?, wires.mark.tag).await?, companions, expected))
    }

    /// Gives a process what every process of the instance has.
    fn equip(&self, command: &mut Command, blueprint: &Blueprint, wires: &Wires) -> std::io::Result<()> {
        let opt = if self.mounted { Some(Path::new("/opt")) } else { self.opt.as_deref() };
        let place = environment::Place { task_root: &self.root, own: &self.own, opt };
        command
            .current_dir(&self.root)
            .env_clear()
            .envs(environment::variables(blueprint, &wires.address, &wires.stream, &place))
            .envs(self.port.iter().flat_map(Claim::variables))
            .stdin(Stdio::null())
            .stdout(wires.writer.try_clone()?)
            .stderr(wires.writer.try_clone()?);
        Ok(())
    }

    /// What extensions are told when they register, and who has to.
    fn expecting(&self, blueprint: &Blueprint, extensions: &[(String, Command)]) -> Extensions {
        let function = json!({
            "functionName": blueprint.function, "functionVersion": blueprint.number,
            "handler": blueprint.configuration.handler, "accountId": crate::ACCOUNT,
        });
        Extensions::expecting(extensions.iter().map(|(name, _)| name.clone()), function)
    }
}
