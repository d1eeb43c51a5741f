//! Prepares and starts the processes of an instance.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tokio::sync::mpsc;

use super::child::Child;
use super::credentials::Credentials;
use super::extension_process::{ExtensionProcesses, programs};
use super::extensions::Extensions;
use super::host::Host;
use super::message::RuntimeMessage;
use super::port::PortLease;
use super::request::PortChoice;
use super::spawn::{Job, Spawner};
use super::spec::InstanceSpec;
use super::start_error::{CANNOT_START, INVALID_ENTRYPOINT, NO_RUNTIME, StartError};
use super::tag::InstanceMark;
use super::{binary, environment, language, layers};
use crate::disk::files::{leads_into, make_directory};
use crate::disk::uses::Use;
use crate::options::ACCOUNT;
use crate::platform::mounts::{self, MountNamespace};

/// The variable with the script that is started instead of a language's runtime.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// The program that runs the function.
pub(super) struct Program {
    command: Command,
    /// Its file, and the path that the function sees.
    real: PathBuf,
    shown: String,
}

/// How an instance's processes are connected to the cloud.
pub(super) struct Endpoints {
    /// The address of the Runtime API.
    pub(super) address: String,
    /// The log stream's name.
    pub(super) stream: String,
    /// Identifies the processes.
    pub(super) mark: InstanceMark,
    /// Their stdout and stderr.
    pub(super) writer: std::io::PipeWriter,
}

/// Everything that the processes of one instance have in common.
pub(super) struct Launch {
    root: PathBuf,
    /// Where its processes see the code: always at the same place, if they have mounts of their own.
    task: PathBuf,
    /// Where Python keeps the modules that it compiles, if its code is always at the same place.
    python_cache: Option<PathBuf>,
    own: PathBuf,
    /// The function's layers, if it has any.
    opt: Option<PathBuf>,
    /// Keeps them from being deleted; held by the instance.
    pub(super) opt_use: Option<Use>,
    /// Whether they are mounted at `/opt`.
    mounted: bool,
    /// Whether the processes have mounts of their own, so that the code is read-only.
    isolated: bool,
    /// A web app's own port.
    pub(super) port: Option<PortLease>,
    /// What its owner has handed over for AWS.
    credentials: Option<Credentials>,
    /// Warnings for both logs.
    pub(super) warnings: Vec<String>,
}

impl Launch {
    /// Gathers the layers, the interpreter of a language's runtime, and the port of a web app. `own` is the instance's
    /// directory.
    ///
    /// # Errors
    /// A [`StartError`], or those of the disk.
    pub(super) fn prepare(host: &Host, spec: &InstanceSpec, own: &Path, choice: PortChoice) -> anyhow::Result<Self> {
        let mut warnings = Vec::new();
        let (opt, opt_use) = layers::merge(host, &spec.configuration.layers)?.unzip();
        let refusal = match (&opt, host.options.mount_layers) {
            (None, _) => None,
            (Some(_), true) => mounts::refusal_of_layers(),
            (Some(_), false) => Some("the cloud was started with this setting"),
        };
        if let (Some(why), Some(opt)) = (refusal, &opt) {
            warnings.push(format!("layers are not at /opt but at `{}`: they cannot be mounted: {why}", opt.display()));
        }
        warnings.extend(language::provide(&spec.configuration.runtime, &own.join("bin"))?);
        let port = spec.is_web_app().then(|| PortLease::new(spec.configuration.variables(), choice)).transpose()?;
        let warning = port.as_ref().and_then(PortLease::warning);
        warnings.extend(warning.filter(|_| !host.fleet.is_movable(&spec.key())));
        let root = host.store.data.code(&spec.code.digest);
        let mounted = opt.is_some() && refusal.is_none();
        let isolated = host.options.mount_layers && mounts::refusal().is_none();
        let task = if isolated { host.store.data.task(&spec.region, &spec.function) } else { root.clone() };
        make_directory(&task)?;
        let python_cache = isolated.then(|| host.store.data.python_cache());
        let (own, credentials) = (own.to_owned(), host.handed_over.of(&spec.key()));
        Ok(Self { root, task, python_cache, own, isolated, mounted, opt, opt_use, port, credentials, warnings })
    }

    /// The mount namespace of one process.
    fn namespace(&self) -> std::io::Result<Option<MountNamespace>> {
        let layers = self.opt.as_deref().filter(|_| self.mounted);
        self.isolated.then(|| MountNamespace::new(&self.root, &self.task, layers)).transpose()
    }

    /// The runtime: the function's `bootstrap`, or the wrapper of a language's runtime.
    ///
    /// # Errors
    /// A [`StartError`].
    pub(super) fn runtime(&self, spec: &InstanceSpec) -> Result<Program, StartError> {
        let configuration = &spec.configuration;
        if configuration.runtime.starts_with("provided.") {
            let bootstrap = self.root.join("bootstrap");
            let inside: Vec<&Path> = [Some(self.root.as_path()), self.opt.as_deref()].into_iter().flatten().collect();
            if bootstrap.is_symlink() && !leads_into(&bootstrap, &inside) {
                let why = "`bootstrap` is a link that leads out of the package and its layers";
                return Err(StartError::new(INVALID_ENTRYPOINT, why));
            }
            let shown = "/var/task/bootstrap".to_owned();
            binary::refuse_foreign(&bootstrap).map_err(|error| binary::refusal(&bootstrap, &shown, &error))?;
            return Ok(Program { command: Command::new(self.task.join("bootstrap")), real: bootstrap, shown });
        }
        let Some(wrapper) = configuration.variables().get(WRAPPER) else {
            let runtime = &configuration.runtime;
            let why = format!(
                "the local cloud has no runtime of its own for `{runtime}`: it can only run a wrapper script ({WRAPPER}), such as \
                 Lambda Web Adapter's"
            );
            return Err(StartError::new(NO_RUNTIME, why));
        };
        let real = self.real(wrapper);
        if !real.is_file() {
            let why = format!("{WRAPPER} is `{wrapper}`, which does not exist");
            return Err(StartError::new(INVALID_ENTRYPOINT, why));
        }
        let mut command = Command::new(if self.mounted { Path::new(wrapper) } else { &real });
        // The command that a wrapper would usually start; it does not exist here.
        command.arg("/var/runtime/bootstrap");
        Ok(Program { command, real, shown: wrapper.clone() })
    }

    /// The real path of what a process with layers sees at `path`.
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

    /// Starts the extensions, then the runtime. The returned extensions are those that have to register.
    ///
    /// # Errors
    /// If one of them cannot be started.
    pub(super) async fn start(
        &self,
        mut runtime: Program,
        spawner: &Spawner,
        spec: &InstanceSpec,
        endpoints: &Endpoints,
        messages: &mpsc::UnboundedSender<RuntimeMessage>,
    ) -> anyhow::Result<(Child, ExtensionProcesses, Extensions)> {
        let mut processes = ExtensionProcesses::default();
        let extensions = self.extensions();
        let expected = self.expecting(spec, &extensions);
        for (name, mut command) in extensions {
            self.configure(&mut command, spec, endpoints);
            let started = spawner.spawn(self.job(command, endpoints)?).await;
            let why = |error| format!("the extension `{name}` cannot be started: {error}");
            let child = started.map_err(|error| StartError::new(CANNOT_START, why(error)))?;
            processes.add(name, child, messages.clone());
        }
        self.configure(&mut runtime.command, spec, endpoints);
        let spawned = spawner.spawn(self.job(runtime.command, endpoints)?).await;
        let child = spawned.map_err(|error| binary::refusal(&runtime.real, &runtime.shown, &error))?;
        Ok((child, processes, expected))
    }

    /// A process of the instance, with all that the others have, too.
    fn job(&self, command: Command, endpoints: &Endpoints) -> std::io::Result<Job> {
        let output = endpoints.writer.try_clone()?.into();
        Ok(Job { command, output, namespace: self.namespace()?, mark: endpoints.mark.clone() })
    }

    /// Gives a process the directory and the variables of the instance.
    fn configure(&self, command: &mut Command, spec: &InstanceSpec, endpoints: &Endpoints) {
        let opt = if self.mounted { Some(Path::new("/opt")) } else { self.opt.as_deref() };
        let paths = environment::Paths {
            task_root: &self.task,
            own: &self.own,
            opt,
            python_cache: self.python_cache.as_deref(),
        };
        let credentials = self.credentials.clone().unwrap_or_else(Credentials::invalid);
        command
            .current_dir(&self.root)
            .env_clear()
            .envs(environment::variables(spec, &endpoints.address, &endpoints.stream, &paths, credentials))
            .envs(self.port.iter().flat_map(|port| port.variables(spec.configuration.variables())));
    }

    /// The extensions that have to register, and what a registration answers.
    fn expecting(&self, spec: &InstanceSpec, extensions: &[(String, Command)]) -> Extensions {
        let function = json!({
            "functionName": spec.function, "functionVersion": spec.number,
            "handler": spec.configuration.handler, "accountId": ACCOUNT,
        });
        Extensions::expecting(extensions.iter().map(|(name, _)| name.clone()), function)
    }
}
