//! How `sam build` makes the code of a function that lamstream does not build, as its `build.command`.

use super::properties::Properties;
use crate::node::Node;
use crate::writer::Writer;
use crate::yaml;

/// Where built code goes, relative to the manifest; a directory for each function.
const OUTPUT: &str = ".build";

/// The code as the template has it.
pub(super) struct Source<'a> {
    /// Relative to the template.
    pub directory: &'a str,
    /// Relative to the manifest.
    pub code: &'a str,
    pub runtime: &'a str,
    /// Whether lamstream installs the app's dependencies itself.
    pub installs: bool,
}

/// What has to run before the code is packaged.
pub(super) struct Build {
    /// A comment.
    pub what: String,
    /// For a shell, in the manifest's directory.
    pub command: String,
    /// What it makes, relative to the manifest: the code of the function.
    pub output: String,
}

/// The directory of a function's built code, relative to the manifest.
pub(super) fn output(writer: &Writer<'_>) -> String {
    format!("{OUTPUT}/{}", writer.table.last().map(String::as_str).unwrap_or_default())
}

/// Writes the command that makes the code.
pub(super) fn write(writer: &mut Writer<'_>, build: &Build) {
    let mut writer = writer.within("build", "Metadata");
    writer.comment(build.what.as_str());
    writer.key("command", build.command.as_str());
    // The app's own directory may be what the command creates.
    writer.key("directory", ".");
}

/// Quotes a path for a shell.
pub(super) fn quote(path: &str) -> String {
    // `=` needs quotes only before the first word, where no path is.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_@%+=:,./-".contains(letter);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    shlex::try_quote(path).map_or_else(|_| path.to_owned(), |quoted| quoted.into_owned())
}

/// A command that starts with an empty output directory.
pub(super) fn emptied(output: &str) -> String {
    let output = quote(output);
    format!("rm -rf {output} && mkdir -p {output}")
}

/// What `sam build` does for the function; `None` if the directory can be deployed as it is.
pub(super) fn of(
    writer: &Writer<'_>,
    properties: &Properties,
    metadata: Option<&Node>,
    source: &Source<'_>,
) -> Option<Result<Build, String>> {
    let method = metadata.and_then(|node| node.get("BuildMethod")).and_then(Node::text).unwrap_or_default();
    let files = writer.options.files;
    let has = |name: &str| files.text(&inside(source.directory, name)).is_some();
    let is_provided = source.runtime.starts_with("provided");
    let language = if method.is_empty() { source.runtime } else { method };
    // For an OS-only runtime, make is what SAM uses by default.
    let target = format!("build-{}", writer.table.last().map(String::as_str).unwrap_or_default());
    let has_target = || files.text(&inside(source.directory, "Makefile")).is_some_and(|text| text.contains(&target));
    if method == "makefile"
        || (method.is_empty() && is_provided && (has_target() || (has("Makefile") && !has("bootstrap"))))
    {
        return Some(Ok(makefile(writer, metadata, source)));
    }
    if method == "esbuild" {
        return Some(Ok(esbuild(writer, metadata, source, has("package-lock.json"))));
    }
    let built = match language {
        _ if language.starts_with("go") => Some(go(writer, properties, source)),
        _ if language.starts_with("java") && has("pom.xml") => Some(maven(writer, source)),
        _ if language.starts_with("dotnet") => Some(dotnet(writer, properties, source)),
        _ if language.starts_with("ruby") && has("Gemfile") => Some(ruby(source)),
        _ if source.installs => return None,
        _ if language.starts_with("python") && has("requirements.txt") => Some(pip(writer, properties, source)),
        _ if language.starts_with("nodejs") && has("package.json") => {
            let package = files.text(&inside(source.directory, "package.json")).unwrap_or_default();
            if !has_dependencies(&package) {
                return None;
            }
            Some(npm(writer, source, has("package-lock.json")))
        }
        _ => None,
    };
    if let Some(built) = built {
        return Some(Ok(built));
    }
    let is_complete = match language {
        _ if is_provided && method.is_empty() => has("bootstrap"),
        _ if language.starts_with("java") => false,
        _ => files.is_directory(source.directory) && !["build.gradle", "build.gradle.kts"].iter().any(|name| has(name)),
    };
    (!is_complete).then(|| Err(method.to_owned()))
}

/// A path within a directory; both are relative to the template.
pub(super) fn inside(directory: &str, name: &str) -> String {
    if directory.is_empty() || directory == "." { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Whether a `package.json` names dependencies for when the app runs.
fn has_dependencies(package: &str) -> bool {
    let package = yaml::read("package.json", package).ok();
    let dependencies = package.as_ref().and_then(|(root, _)| root.get("dependencies"));
    package.is_none() || dependencies.is_some_and(|all| !all.entries().is_empty())
}

/// The architecture in Go's words.
fn machine(properties: &Properties) -> &'static str {
    let architecture = properties.peek("Architectures").and_then(|node| node.each().last().and_then(|one| one.text()));
    if architecture == Some("arm64") { "arm64" } else { "amd64" }
}

fn makefile(writer: &Writer<'_>, metadata: Option<&Node>, source: &Source<'_>) -> Build {
    let output = output(writer);
    let name = writer.table.last().map(String::as_str).unwrap_or_default();
    let text = |key: &str| metadata.and_then(|node| node.get(key)).and_then(Node::text);
    let directory = text("WorkingDirectory").map_or_else(|| source.code.to_owned(), |path| writer.path_to(path));
    let file = text("ContextPath").map(|path| writer.path_to(path));
    let file = file.map(|path| format!(" -f \"$PWD\"/{}/Makefile", quote(&path))).unwrap_or_default();
    let (directory, target) = (quote(&directory), quote(&format!("build-{name}")));
    let command =
        format!("{} && make -C {directory}{file} {target} ARTIFACTS_DIR=\"$PWD\"/{}", emptied(&output), quote(&output));
    Build { what: "As `sam build` does it with `make`.".into(), command, output }
}

fn esbuild(writer: &Writer<'_>, metadata: Option<&Node>, source: &Source<'_>, has_lock: bool) -> Build {
    let output = output(writer);
    let properties = metadata.and_then(|node| node.get("BuildProperties"));
    let each = |key: &str| -> Vec<String> {
        let values = properties.and_then(|node| node.get(key)).map(Node::each).unwrap_or_default();
        values.into_iter().filter_map(Node::text).map(str::to_owned).collect()
    };
    let mut words = each("EntryPoints");
    words.extend(["--bundle", "--platform=node"].map(str::to_owned));
    // SAM's defaults.
    for (key, flag, default) in [("Minify", "--minify", "true"), ("Sourcemap", "--sourcemap", "false")] {
        let is_set = each(key).first().map_or(default, String::as_str) == "true";
        words.extend(is_set.then(|| flag.to_owned()));
    }
    for (key, flag) in ESBUILD {
        words.extend(each(key).iter().map(|value| format!("{flag}{value}")));
    }
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    let install = if has_lock { "npm ci" } else { "npm install" };
    let command = format!(
        "{} && (cd {} && {install} && npx esbuild {} --outdir=\"$OLDPWD\"/{})",
        emptied(&output),
        quote(source.code),
        words.join(" "),
        quote(&output)
    );
    Build { what: "As `sam build` does it with esbuild.".into(), command, output }
}

/// Properties of esbuild, and the flags that each of their values becomes.
pub(super) const ESBUILD: [(&str, &str); 7] = [
    ("Target", "--target="),
    ("Format", "--format="),
    ("External", "--external:"),
    ("Loader", "--loader:"),
    ("OutExtension", "--out-extension:"),
    ("MainFields", "--main-fields="),
    ("SourcesContent", "--sources-content="),
];
/// The other properties of esbuild that the command has.
pub(super) const ESBUILD_OTHERS: [&str; 3] = ["EntryPoints", "Minify", "Sourcemap"];

fn go(writer: &Writer<'_>, properties: &Properties, source: &Source<'_>) -> Build {
    let output = output(writer);
    let command = format!(
        "(cd {} && GOOS=linux GOARCH={} CGO_ENABLED=0 go build -o \"$OLDPWD\"/{}/bootstrap .)",
        quote(source.code),
        machine(properties),
        quote(&output)
    );
    Build { what: "As `sam build` compiles Go.".into(), command, output }
}

fn maven(writer: &Writer<'_>, source: &Source<'_>) -> Build {
    let output = output(writer);
    let to = quote(&output);
    let command = format!(
        "{} && (cd {} && mvn -q clean package dependency:copy-dependencies -DincludeScope=runtime \
         -DoutputDirectory=\"$OLDPWD\"/{to}/lib && cp -R target/classes/. \"$OLDPWD\"/{to})",
        emptied(&output),
        quote(source.code)
    );
    Build { what: "As `sam build` compiles Java.".into(), command, output }
}

fn dotnet(writer: &Writer<'_>, properties: &Properties, source: &Source<'_>) -> Build {
    let output = output(writer);
    let machine = if machine(properties) == "arm64" { "linux-arm64" } else { "linux-x64" };
    let command = format!(
        "dotnet publish {} -c Release -r {machine} --self-contained false -o {}",
        quote(source.code),
        quote(&output)
    );
    Build { what: "As `sam build` compiles .NET.".into(), command, output }
}

/// Installs the gems of a directory within it.
pub(super) fn ruby(source: &Source<'_>) -> Build {
    let code = quote(source.code);
    let command = format!("(cd {code} && bundle config set --local path vendor/bundle && bundle install)");
    Build { what: "As `sam build` installs gems.".into(), command, output: source.code.to_owned() }
}

fn copied(source: &Source<'_>, output: &str) -> String {
    format!("{} && cp -R {}/. {}", emptied(output), quote(source.code), quote(output))
}

fn pip(writer: &Writer<'_>, properties: &Properties, source: &Source<'_>) -> Build {
    let machine = if machine(properties) == "arm64" { "aarch64" } else { "x86_64" };
    let version = source.runtime.trim_start_matches("python");
    // A directory cannot be copied into itself.
    let is_all = source.code == ".";
    let output = if is_all { ".".to_owned() } else { output(writer) };
    let copy = if is_all { String::new() } else { copied(source, &output) + " && " };
    let list = if is_all { "requirements.txt".to_owned() } else { format!("{}/requirements.txt", source.code) };
    let command = format!(
        "{copy}python3 -m pip install -r {} --target {} --platform manylinux2014_{machine} --python-version {version} \
         --only-binary=:all:",
        quote(&list),
        quote(&output)
    );
    let what = "As `sam build` installs the dependencies of a handler.";
    Build { what: what.into(), command, output }
}

fn npm(writer: &Writer<'_>, source: &Source<'_>, has_lock: bool) -> Build {
    let is_all = source.code == ".";
    let output = if is_all { ".".to_owned() } else { output(writer) };
    let copy = if is_all { String::new() } else { copied(source, &output) + " && " };
    let install = if has_lock { "ci" } else { "install" };
    let command = format!("{copy}npm --prefix {} {install} --omit=dev", quote(&output));
    let what = "As `sam build` installs the dependencies of a handler.";
    Build { what: what.into(), command, output }
}
