//! A function that is a web server of its own: Lambda Web Adapter passes invocations on to it.
//!
//! The adapter is an extension in a layer of AWS's. It waits until the server answers, fetches the invocations from
//! Lambda, and passes each on as an HTTP request. Source: docs/aws.md.

use super::code::{BOOTSTRAP, belongs_to};
use super::command;
use super::layers::layer_of;
use super::section::{Entry, Section};
use crate::stack::{Architecture, Arn, Environment, FunctionUrl, InvokeMode, Partition, Runtime, Secret};

/// The account that publishes the adapter's layers.
const PUBLISHER: &str = "753240598075";
/// In China each region has its own, and layers for x86_64 alone.
const PUBLISHERS_IN_CHINA: [(&str, &str); 2] = [("cn-north-1", "041581134020"), ("cn-northwest-1", "069767869989")];
/// What its layers are called.
const LAYERS: [(Architecture, &str); 2] =
    [(Architecture::X86_64, "LambdaAdapterLayerX86"), (Architecture::Arm64, "LambdaAdapterLayerArm64")];
/// The version of the adapter's layers that is used where the manifest names none: Lambda Web Adapter 1.0.0.
const DEFAULT_LAYER: u32 = 27;
/// With which script a managed runtime is kept from starting: the adapter's starts the handler instead.
const WRAPPER: (&str, &str) = ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/bootstrap");
const MODE: &str = "AWS_LWA_INVOKE_MODE";
const PORTS: [&str; 3] = ["PORT", "AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT"];
const READINESS: [&str; 2] = ["AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"];
/// What a script is called that starts a command line.
const SCRIPT: &str = "lamstream-run.sh";

/// The server, and how the adapter finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// What starts it; `None` for a program that is the package's `bootstrap`.
    pub run: Option<Start>,
    pub port: u16,
    /// The adapter asks it until it is answered, with any status below 500.
    pub readiness_path: String,
    pub adapter: Adapter,
}

/// What starts a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A file of the package, which is executed.
    File(String),
    /// A line for a shell.
    Command(String),
}

/// Which layer holds the adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// A version of the layer that AWS publishes for each architecture.
    Version(u32),
    /// The ARN of a layer's version.
    Arn(String),
}

/// A script that lamstream writes into the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name in the package.
    pub name: &'static str,
    pub text: String,
}

impl Web {
    /// A crate or a package is a server where it has a port.
    pub(super) fn read(keys: &Section<'_>, architecture: Option<Architecture>) -> Option<Web> {
        let is_web = keys.has("web") || keys.has("port") || keys.has("run");
        if keys.has("web") && !keys.has("run") {
            keys.missing("`run`", "what starts the app: a script in it such as `run.sh`, or a command line");
        }
        let run = keys.entry("run").and_then(|entry| {
            belongs_to(&entry, keys, &["web", "package"]);
            entry.matching(is_start, "a script of the package such as `run.sh`, or a command line")
        });
        let readiness_path = keys.entry("readiness_path").and_then(|entry| {
            only_for_web(&entry, is_web);
            entry.matching(is_url_path, "a path that begins with `/`, such as `/health`")
        });
        let adapter = keys.entry("adapter_layer").and_then(|entry| {
            only_for_web(&entry, is_web);
            read_adapter(&entry, keys, architecture)
        });
        is_web.then(|| Web {
            run: run.map(|run| Start::of(run.get_ref())),
            port: keys.number("port") as u16,
            readiness_path: readiness_path.map_or("/".into(), |path| path.into_inner().to_owned()),
            adapter: adapter.unwrap_or(Adapter::Version(DEFAULT_LAYER)),
        })
    }

    /// Says what of the user's own settings says something else than the manifest's keys.
    pub(super) fn refuse_contradictions(&self, keys: &Section<'_>, runtime: &Runtime, url: Option<&FunctionUrl>) {
        let mode = url.map_or("no `url`".to_owned(), |url| format!("`url.mode = \"{}\"`", url.mode.as_str()));
        let port = self.port.to_string();
        let written = if keys.has("port") { "" } else { ", the default" };
        let path = &self.readiness_path;
        let mut rules = vec![(MODE, invoke_mode(url), mode)];
        rules.extend(PORTS.map(|name| (name, port.as_str(), format!("`port = {port}`{written}"))));
        rules.extend(READINESS.map(|name| (name, path.as_str(), format!("`readiness_path = \"{path}\"`"))));
        if runtime.is_managed() {
            rules.push((WRAPPER.0, WRAPPER.1, "the adapter, which includes that script".into()));
        }
        for variable in keys.peek_all("environment") {
            let Some((name, value, other)) = rules.iter().find(|(name, _, _)| *name == variable.name) else { continue };
            // The adapter does not mind how its mode is written.
            let says = |text: &str| text == *value || (*name == MODE && text.eq_ignore_ascii_case(value));
            if !variable.text().is_some_and(says) {
                let from = if PORTS.contains(name) && !keys.has("port") { " from `port`" } else { "" };
                variable.problem_with_name(format!(
                    "`environment.{name}` contradicts {other}, expected `{value}`, or no such variable: lamstream sets it{from}"
                ));
            }
        }
        for layer in keys.peek_strings("layers").into_iter().filter(|layer| is_adapter(layer.get_ref())) {
            let arn = *layer.get_ref();
            let version = arn.rsplit_once(':').filter(|_| arn.contains(PUBLISHER)).map(|(_, version)| version);
            let instead = version.map_or(format!("\"{arn}\""), str::to_owned);
            keys.problem_at(
                layer.span(),
                format!(
                    "`layers` holds the adapter, which lamstream adds itself, expected `adapter_layer = {instead}`"
                ),
            );
        }
    }

    /// The ARN of the adapter's layer.
    pub fn layer(&self, region: &str, architecture: Architecture) -> String {
        let name = LAYERS.iter().find(|(of, _)| *of == architecture).map_or("", |(_, name)| name);
        let own = PUBLISHERS_IN_CHINA.iter().find(|(of, _)| *of == region);
        let account = own.map_or(PUBLISHER, |(_, publisher)| publisher);
        match &self.adapter {
            Adapter::Version(version) => {
                let resource = format!("layer:{name}:{version}");
                Arn {
                    partition: Partition::of_known(region).name,
                    service: "lambda",
                    region,
                    account,
                    resource: &resource,
                }
                .to_string()
            }
            Adapter::Arn(arn) => arn.clone(),
        }
    }

    /// The variables by which adapter and server know of each other.
    pub fn variables(&self, runtime: &Runtime, url: Option<&FunctionUrl>) -> Environment {
        let mut variables = vec![(PORTS[0], self.port.to_string()), (MODE, invoke_mode(url).to_owned())];
        if runtime.is_managed() {
            variables.push((WRAPPER.0, WRAPPER.1.to_owned()));
        }
        if self.readiness_path != "/" {
            variables.push((READINESS[0], self.readiness_path.clone()));
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
    }

    /// What Lambda starts.
    pub(super) fn handler(&self, runtime: &Runtime) -> &str {
        match &self.run {
            Some(Start::File(file)) if runtime.is_managed() => file,
            Some(Start::Command(_)) if runtime.is_managed() => SCRIPT,
            _ => BOOTSTRAP,
        }
    }

    /// The user's own file that is executed, if one is.
    pub fn program(&self) -> Option<&str> {
        match &self.run {
            Some(Start::File(file)) => Some(file),
            Some(Start::Command(_)) => None,
            None => Some(BOOTSTRAP),
        }
    }

    /// What a command line begins with, where that may be a file of the package.
    pub fn called(&self) -> Option<&str> {
        match &self.run {
            Some(Start::Command(line)) => command::file(line),
            _ => None,
        }
    }

    /// What is written into the package, so that what Lambda starts is what the manifest says.
    pub fn script(&self, runtime: &Runtime) -> Option<Script> {
        const PATHS: &str = "export PATH=\"$PATH:$LAMBDA_TASK_ROOT/bin\"\n\
                             export PYTHONPATH=\"$LAMBDA_TASK_ROOT${PYTHONPATH:+:$PYTHONPATH}\"\n";
        let managed = runtime.is_managed();
        let text = match self.run.as_ref()? {
            Start::File(file) if managed || file == BOOTSTRAP => return None,
            Start::File(file) => format!("#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/{file}\"\n"),
            // Where the shell goes on to be needed, it stays.
            Start::Command(line) if command::is_simple(line) => format!("#!/bin/sh\n{PATHS}exec {line}\n"),
            Start::Command(line) => format!("#!/bin/sh\n{PATHS}{line}\n"),
        };
        Some(Script { name: if managed { SCRIPT } else { BOOTSTRAP }, text })
    }
}

impl Start {
    /// A word is a file; what has several is a command line.
    fn of(text: &str) -> Start {
        match text.contains(char::is_whitespace) {
            true => Start::Command(text.trim().to_owned()),
            false => Start::File(text.strip_prefix("./").unwrap_or(text).to_owned()),
        }
    }
}

fn invoke_mode(url: Option<&FunctionUrl>) -> &'static str {
    match url.map(|url| url.mode) {
        Some(InvokeMode::ResponseStream) => "response_stream",
        // A caller that invokes a function without a URL gets its answer as a whole.
        Some(InvokeMode::Buffered) | None => "buffered",
    }
}

/// Whether a layer is the adapter's, in AWS's account or another's.
fn is_adapter(arn: &str) -> bool {
    arn.contains(":layer:LambdaAdapterLayer")
}

fn only_for_web(entry: &Entry<'_>, is_web: bool) {
    if !is_web {
        let name = entry.name;
        entry.problem_with_name(format!("`{name}` requires `web` or `port`"));
    }
}

fn read_adapter(entry: &Entry<'_>, keys: &Section<'_>, architecture: Option<Architecture>) -> Option<Adapter> {
    const EXPECTED: &str = "a version of AWS's layer, such as `27`, or the ARN of a layer's version";
    if entry.is_string() {
        let arn = entry.matching(|text| layer_of(text).is_some(), EXPECTED)?;
        let arn = arn.into_inner();
        let built_for = LAYERS.iter().find(|(_, name)| arn.contains(&format!(":layer:{name}:"))).map(|(of, _)| *of);
        if let (Some(built_for), Some(architecture)) = (built_for, architecture)
            && built_for != architecture
        {
            entry.problem(format!(
                "`adapter_layer` is the adapter for `{built_for}`, but the function runs on `{architecture}`, expected a version"
            ));
        }
        // Those of the adapter have been reported.
        if !is_adapter(arn) && keys.peek_strings("layers").iter().any(|layer| *layer.get_ref() == arn) {
            entry.problem("`adapter_layer` is in `layers` too, expected it in one of them");
        }
        return Some(Adapter::Arn(arn.to_owned()));
    }
    entry.number().map(|version| Adapter::Version(version.into_inner()))
}

fn is_start(text: &str) -> bool {
    let inside = !text.starts_with('/') && !text.split('/').any(|part| part == "..");
    !text.trim().is_empty() && !text.contains(['\0', '\n', '\r']) && (inside || text.trim().contains(' '))
}

fn is_url_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(run: &str) -> Web {
        Web { run: Some(Start::of(run)), port: 8000, readiness_path: "/".into(), adapter: Adapter::Version(16) }
    }

    #[test]
    fn a_managed_runtime_starts_a_script_and_an_os_only_one_its_bootstrap() {
        let started = |run, runtime| {
            let runtime = Runtime::parse(runtime).unwrap();
            let script = web(run).script(&runtime);
            (web(run).handler(&runtime).to_owned(), script.map(|script| (script.name, script.text)))
        };
        assert_eq!(started("./run.sh", "python3.13"), ("run.sh".into(), None));
        let (handler, script) = started("python -m uvicorn main:app", "python3.13");
        let (name, text) = script.unwrap();
        assert_eq!((handler.as_str(), name), (SCRIPT, SCRIPT));
        assert!(text.starts_with("#!/bin/sh\n") && text.ends_with("exec python -m uvicorn main:app\n"), "{text}");
        let (_, script) = started("cd src && python main.py", "python3.13");
        assert!(script.unwrap().1.ends_with("\"\ncd src && python main.py\n"));
        let (handler, script) = started("bin/server", "provided.al2023");
        assert_eq!(handler, BOOTSTRAP);
        assert_eq!(script.unwrap().1, "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/bin/server\"\n");
        assert_eq!(started("bootstrap", "provided.al2023"), (BOOTSTRAP.into(), None));
    }

    #[test]
    fn the_layer_follows_region_and_architecture() {
        let arn = web("run.sh").layer("eu-central-1", Architecture::Arm64);
        assert_eq!(arn, "arn:aws:lambda:eu-central-1:753240598075:layer:LambdaAdapterLayerArm64:16");
        let arn = web("run.sh").layer("cn-north-1", Architecture::X86_64);
        assert_eq!(arn, "arn:aws-cn:lambda:cn-north-1:041581134020:layer:LambdaAdapterLayerX86:16");
    }
}
