//! Functions that are web servers: Lambda Web Adapter translates invocations into HTTP requests to them.
//!
//! The adapter is an extension in a layer that AWS publishes. It waits until the server answers, fetches invocations
//! from Lambda, and sends each one to the server as an HTTP request. Source: docs/aws.md.

use super::code::BOOTSTRAP;
use super::command;
use super::layers::layer_of;
use super::section::{Entry, Section};
use crate::stack::{Architecture, Arn, Environment, Family, FunctionUrl, InvokeMode, Partition, Runtime, Secret};

/// The account that publishes the adapter's layers.
const PUBLISHER: &str = "753240598075";
/// In China each region has its own account, and layers for x86_64 only.
const PUBLISHERS_IN_CHINA: [(&str, &str); 2] = [("cn-north-1", "041581134020"), ("cn-northwest-1", "069767869989")];
/// The names of its layers.
const LAYERS: [(Architecture, &str); 2] =
    [(Architecture::X86_64, "LambdaAdapterLayerX86"), (Architecture::Arm64, "LambdaAdapterLayerArm64")];
/// The version of the adapter's layer if the manifest names none: Lambda Web Adapter 1.1.0.
const DEFAULT_LAYER: u32 = 30;
/// The partitions in which AWS publishes the layer.
const PUBLISHED: [&str; 2] = ["aws", "aws-cn"];
/// The adapter's script that starts the handler in place of a managed runtime.
const WRAPPER: (&str, &str) = ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/bootstrap");
const MODE: &str = "AWS_LWA_INVOKE_MODE";
const PORTS: [&str; 3] = ["PORT", "AWS_LWA_PORT", "AWS_LAMBDA_WEB_ADAPTER_PORT"];
const READINESS: [&str; 2] = ["AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"];
/// The keys of the paths that the adapter calls when a snapshot is made or restored, and its variables for them.
const HOOKS: [(&str, &str); 2] = [
    ("before_snapshot", "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH"),
    ("after_restore", "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH"),
];
/// The first version of the adapter's layer that calls them.
const HOOKS_SINCE: u32 = 30;
/// The path of events that are no requests, and the variable that changes it.
const EVENTS: (&str, &str) = ("AWS_LWA_PASS_THROUGH_PATH", "/events");
/// The name of a script that starts a command line.
const SCRIPT: &str = "lamstream-run.sh";

/// The server, and how the adapter reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// How it is started; `None` for a program that is the package's `bootstrap`.
    pub run: Option<Start>,
    pub port: u16,
    /// The adapter requests this path until it gets a status below 500.
    pub readiness_path: String,
    /// The adapter sends an empty `POST` to these paths before a snapshot is made, and after it is restored.
    pub hooks: [Option<String>; 2],
    pub adapter: Adapter,
}

/// How a server is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// By executing a file of the package.
    File(String),
    /// By a shell command line.
    Command(String),
}

/// Which layer contains the adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// A version of the layer that AWS publishes for each architecture.
    Version(u32),
    /// The ARN of a layer version.
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
    /// A crate or a package is a server if it has a port. `snap_start` is whether the function has snapshots.
    pub(super) fn read(keys: &Section<'_>, architecture: Option<Architecture>, snap_start: bool) -> Option<Web> {
        let is_web = keys.has("web") || keys.has("port") || keys.has("run");
        if keys.has("web") && !keys.has("run") {
            keys.missing("`run`", "what starts the app: a script in it such as `run.sh`, or a command line");
        }
        let run = keys
            .entry("run")
            .and_then(|entry| entry.matching(is_start, "a script of the package such as `run.sh`, or a command line"));
        let readiness_path = keys.entry("readiness_path").and_then(|entry| {
            only_for_web(&entry, is_web);
            entry.matching(is_url_path, "a path that begins with `/`, such as `/health`")
        });
        let adapter = keys.entry("adapter_layer").and_then(|entry| {
            only_for_web(&entry, is_web);
            read_adapter(&entry, keys, architecture)
        });
        let adapter = adapter.unwrap_or(Adapter::Version(DEFAULT_LAYER));
        let hooks = HOOKS.map(|(key, _)| {
            let entry = keys.entry(key)?;
            only_for_web(&entry, is_web);
            read_hook(&entry, keys, &adapter, snap_start)
        });
        is_web.then(|| Web {
            run: run.map(|run| Start::of(run.get_ref())),
            port: keys.number("port") as u16,
            readiness_path: readiness_path.map_or("/".into(), |path| path.into_inner().to_owned()),
            hooks,
            adapter,
        })
    }

    /// Reports settings in the user's environment that contradict the manifest's keys.
    pub(super) fn refuse_contradictions(&self, keys: &Section<'_>, runtime: &Runtime, url: Option<&FunctionUrl>) {
        let mode = url.map_or("no `url`".to_owned(), |url| format!("`url.mode = \"{}\"`", url.mode.as_str()));
        let port = self.port.to_string();
        let written = if keys.has("port") { "" } else { ", the default" };
        let path = &self.readiness_path;
        let mut rules = vec![(MODE, invoke_mode(url), mode)];
        rules.extend(PORTS.map(|name| (name, port.as_str(), format!("`port = {port}`{written}"))));
        rules.extend(READINESS.map(|name| (name, path.as_str(), format!("`readiness_path = \"{path}\"`"))));
        rules.extend(self.hooks().map(|(key, name, path)| (name, path, format!("`{key} = \"{path}\"`"))));
        if runtime.is_managed() {
            rules.push((WRAPPER.0, WRAPPER.1, "the adapter, which includes that script".into()));
        }
        for variable in keys.peek_all("environment") {
            let Some((name, value, other)) = rules.iter().find(|(name, _, _)| *name == variable.name) else { continue };
            // The adapter ignores the case of its mode.
            let says = |text: &str| text == *value || (*name == MODE && text.eq_ignore_ascii_case(value));
            if !variable.text().is_some_and(says) {
                let from = if PORTS.contains(name) && !keys.has("port") { " from `port`" } else { "" };
                variable.problem_with_name(format!(
                    "`environment.{name}` contradicts {other}, expected `{value}`; or remove it, because lamstream sets it{from}"
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
                    "`layers` contains the adapter, which lamstream adds itself, expected `adapter_layer = {instead}`"
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

    /// Whether AWS publishes the adapter's layer in a region, as far as lamstream knows.
    pub fn is_published_in(&self, region: &str) -> bool {
        matches!(self.adapter, Adapter::Arn(_)) || PUBLISHED.contains(&Partition::of_known(region).name)
    }

    /// The variables that connect the adapter and the server.
    pub fn variables(&self, runtime: &Runtime, url: Option<&FunctionUrl>) -> Environment {
        let mut variables = vec![(PORTS[0], self.port.to_string()), (MODE, invoke_mode(url).to_owned())];
        if runtime.is_managed() {
            variables.push((WRAPPER.0, WRAPPER.1.to_owned()));
        }
        if self.readiness_path != "/" {
            variables.push((READINESS[0], self.readiness_path.clone()));
        }
        variables.extend(self.hooks().map(|(_, name, path)| (name, path.to_owned())));
        variables.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
    }

    /// The hooks that are set: their keys, their variables and their paths.
    fn hooks(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let all = HOOKS.iter().zip(&self.hooks);
        all.filter_map(|((key, variable), path)| Some((*key, *variable, path.as_deref()?)))
    }

    /// The handler that Lambda starts.
    pub(super) fn handler(&self, runtime: &Runtime) -> &str {
        match &self.run {
            Some(Start::File(file)) if runtime.is_managed() => file,
            Some(Start::Command(_)) if runtime.is_managed() => SCRIPT,
            _ => BOOTSTRAP,
        }
    }

    /// The user's own executable, if there is one.
    pub fn program(&self) -> Option<&str> {
        match &self.run {
            Some(Start::File(file)) => Some(file),
            Some(Start::Command(_)) => None,
            None => Some(BOOTSTRAP),
        }
    }

    /// The command line that starts it; `None` if a file does.
    pub fn line(&self) -> Option<&str> {
        if let Some(Start::Command(line)) = &self.run { Some(line) } else { None }
    }

    /// The program of a command line, if it may be a file of the package.
    pub fn called(&self) -> Option<&str> {
        self.line().and_then(command::file)
    }

    /// The file of the package without which a command line cannot start, if that is certain.
    pub fn required(&self) -> Option<String> {
        self.line().and_then(command::required)
    }

    /// The Python modules that a command line imports, without the packages around them, as far as that is certain.
    pub fn modules(&self) -> Vec<String> {
        self.line().map(command::modules).unwrap_or_default()
    }

    /// The script that is added to the package, so that Lambda starts what the manifest says.
    pub fn script(&self, runtime: &Runtime) -> Option<Script> {
        // Python's own bootstrap, which the adapter replaces, would add the packages of layers.
        let layers = match runtime.family() {
            Family::Python => format!(":/opt/python/lib/python{}/site-packages:/opt/python", runtime.version()),
            _ => String::new(),
        };
        let paths = format!(
            "export PATH=\"$PATH:$LAMBDA_TASK_ROOT/bin\"\n\
             export PYTHONPATH=\"$LAMBDA_TASK_ROOT{layers}${{PYTHONPATH:+:$PYTHONPATH}}\"\n"
        );
        let managed = runtime.is_managed();
        let text = match self.run.as_ref()? {
            Start::File(file) if managed || file == BOOTSTRAP => return None,
            Start::File(file) => format!("#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/{file}\"\n"),
            // The shell stays if it is still needed.
            Start::Command(line) if command::is_simple(line) => format!("#!/bin/sh\n{paths}exec {line}\n"),
            Start::Command(line) => format!("#!/bin/sh\n{paths}{line}\n"),
        };
        Some(Script { name: if managed { SCRIPT } else { BOOTSTRAP }, text })
    }
}

impl Start {
    /// A single word is a file, several words are a command line.
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
        // Without a URL, callers invoke the function directly and get a buffered response.
        Some(InvokeMode::Buffered) | None => "buffered",
    }
}

/// Whether a layer is the adapter's, in AWS's account or in another one.
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
    const EXPECTED: &str = "a version of AWS's layer, such as `30`, or the ARN of a layer's version";
    if entry.is_string() {
        let arn = entry.matching(|text| layer_of(text).is_some(), EXPECTED)?;
        let arn = arn.into_inner();
        let built_for = LAYERS.iter().find(|(_, name)| arn.contains(&format!(":layer:{name}:"))).map(|(of, _)| *of);
        if let (Some(built_for), Some(architecture)) = (built_for, architecture)
            && built_for != architecture
        {
            entry.problem(format!(
                "`adapter_layer` is the adapter for `{built_for}`, but the function runs on `{architecture}`, expected \
                 the adapter for `{architecture}`, or a version such as `{DEFAULT_LAYER}`"
            ));
        }
        // The adapter's own layers were already reported.
        if !is_adapter(arn) && keys.peek_strings("layers").iter().any(|layer| *layer.get_ref() == arn) {
            entry.problem("`adapter_layer` is also in `layers`; remove it from one of them");
        }
        return Some(Adapter::Arn(arn.to_owned()));
    }
    entry.number().map(|version| Adapter::Version(version.into_inner()))
}

fn read_hook(entry: &Entry<'_>, keys: &Section<'_>, adapter: &Adapter, snap_start: bool) -> Option<String> {
    const EXPECTED: &str = "a path of its own that begins with `/`, such as `/snapshot`, without `%`, `?` or `..`";
    let name = entry.name;
    if !snap_start {
        entry.problem_with_name(format!("`{name}` requires `snap_start = true`"));
    }
    if let Adapter::Version(version @ ..HOOKS_SINCE) = adapter {
        entry.problem_with_name(format!(
            "`{name}` requires Lambda Web Adapter 1.1.0, expected `adapter_layer` to be at least {HOOKS_SINCE}, not {version}"
        ));
    }
    let path = entry.matching(is_hook_path, EXPECTED)?.into_inner();
    let events = keys.peek("environment", EVENTS.0).unwrap_or(EVENTS.1);
    // The adapter ignores the case.
    if path.eq_ignore_ascii_case(events) {
        entry.problem(format!("`{name}` is `{path}`, where the adapter sends events, expected another path"));
    }
    Some(path.to_owned())
}

/// Whether the adapter can keep requests from outside away from a path, which it compares with the requests' paths.
fn is_hook_path(text: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part != "." && part != "..";
    let segments = text.strip_prefix('/').map(|rest| rest.split('/'));
    is_url_path(text) && !text.contains(['%', '?', '#']) && segments.is_some_and(|mut parts| parts.all(is_name))
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
        Web {
            run: Some(Start::of(run)),
            port: 8000,
            readiness_path: "/".into(),
            hooks: [None, None],
            adapter: Adapter::Version(16),
        }
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
        // AWS adds the packages of layers only for handlers.
        let layers =
            "\"$LAMBDA_TASK_ROOT:/opt/python/lib/python3.13/site-packages:/opt/python${PYTHONPATH:+:$PYTHONPATH}\"";
        assert!(text.contains(layers), "{text}");
        let (_, script) = started("node server.js --once", "nodejs22.x");
        assert!(!script.unwrap().1.contains("/opt/python"));
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

    #[test]
    fn aws_publishes_no_layer_in_govcloud() {
        let own = Web { adapter: Adapter::Arn("arn:aws-us-gov:lambda:…".into()), ..web("run.sh") };
        for (region, published) in [("eu-central-1", true), ("cn-north-1", true), ("us-gov-west-1", false)] {
            assert_eq!(web("run.sh").is_published_in(region), published, "{region}");
            assert!(own.is_published_in(region));
        }
    }
}
