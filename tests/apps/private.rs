//! Private packages of Python that have the name of a public one: the right one is packed, or lamstream refuses and names it.
//!
//! Each form is built by the real binary with pip alone and with uv, against two indexes on loopback that both have `six`.

use crate::index::{Index, PASSWORD, sha256};
use crate::packages::{UV, with_each_installer};
use crate::packaging::{MANIFEST, app, contents};
use crate::support::bench::{Bench, said};
use crate::support::python::tools;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What has to come out.
#[derive(Clone, Copy)]
pub(crate) enum Out {
    Private,
    /// Refused, with these words.
    Refused(&'static str),
}
/// A name, the files by their paths, and what has to come out with uv and with pip.
type Form<'a> = (&'a str, &'a [(&'a str, &'a str)], Out, Out);

use Out::{Private, Refused};

/// A build backend that needs no other package.
const BACKEND: &str = r#"
import os, tomllib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]
    name, version = project["name"], project["version"]
    file, info = f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\n" for need in project.get("dependencies", []))
    with zipfile.ZipFile(os.path.join(directory, file), "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", open("text.py").read())
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{name}/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return file
build_editable = build_wheel
"#;
const BUILD: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

/// Both indexes, a bench, and a repository of Git with `six` in it.
struct Stage {
    public: Index,
    corp: Index,
    /// The private wheel.
    wheel: PathBuf,
    git: tempfile::TempDir,
}

impl Stage {
    fn new(locked: bool) -> Stage {
        let (public, corp) = (Index::start(false), Index::start(locked));
        public.add_wheel("six", "9.0", "public");
        public.add_wheel("leaf", "1.0", "public");
        let wheel = corp.add_wheel("six", "1.0", "private");
        let git = tempfile::tempdir().unwrap();
        library(git.path(), "six", "", "");
        let run = "git init -q . && git add . && git -c user.name=a -c user.email=a@example.com commit -qm one";
        assert!(Command::new("sh").args(["-c", run]).current_dir(git.path()).status().unwrap().success());
        Stage { public, corp, wheel, git }
    }

    /// `{CORP}` and its like in a text.
    fn filled(&self, text: &str, bench: &Bench) -> String {
        let root = bench.path("").canonicalize().unwrap();
        text.replace("{CORP}", &self.corp.simple())
            .replace("{PUBLIC}", &self.public.simple())
            .replace("{LOCKED}", &self.corp.simple_with_password())
            .replace("{FILE}", &self.corp.file("six-1.0-py3-none-any.whl"))
            .replace("{WHEEL}", &self.wheel.display().to_string())
            .replace("{WHEELS}", &self.wheel.parent().unwrap().display().to_string())
            .replace("{DIGEST}", &sha256(&self.wheel))
            .replace("{GIT}", &format!("file://{}", self.git.path().display()))
            .replace("{COMMIT}", &self.commit())
            .replace("{ROOT}", root.to_str().unwrap())
    }

    fn commit(&self) -> String {
        let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(self.git.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A bench with these files; a name that ends with `/` is a library's directory, whose text are its dependencies, and
    /// after a line `---` more of its `pyproject.toml`.
    fn bench(&self, files: &[(&str, &str)]) -> Bench {
        let bench = app(MANIFEST, &[]);
        for (name, text) in files {
            let (path, text) = (bench.path(name), self.filled(text, &bench));
            match name.strip_suffix('/') {
                Some(directory) => {
                    let (dependencies, more) = text.split_once("---\n").unwrap_or((&text, ""));
                    library(&path, directory.rsplit('/').next().unwrap(), dependencies, more);
                }
                None => {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, text).unwrap();
                }
            }
        }
        bench
    }

    /// The index of the machine is the public one.
    fn settle(&self, command: &mut Command, bench: &Bench, uv: Option<&Path>) {
        command.env("UV_CACHE_DIR", bench.path("uv-cache")).env("UV_PYTHON_DOWNLOADS", "never");
        command.env("UV_DEFAULT_INDEX", self.public.simple()).env("PIP_INDEX_URL", self.public.simple());
        if let Some(uv) = uv {
            let path = std::env::var_os("PATH").unwrap();
            let paths = std::iter::once(uv.to_owned()).chain(std::env::split_paths(&path));
            command.env("PATH", std::env::join_paths(paths).unwrap());
        }
    }

    fn build(&self, bench: &Bench, uv: Option<&Path>) -> Output {
        let mut command = bench.command(&["build", "--out", "out"]);
        self.settle(&mut command, bench, uv);
        command.output().unwrap()
    }

    fn expect(&self, form: &str, output: &Output, bench: &Bench, out: Out) {
        let text = said(output);
        assert!(!text.contains(PASSWORD), "{form}: {text}");
        match out {
            Private => {
                assert!(output.status.success(), "{form}: {text}");
                let found = contents(&bench.path("out/site.zip"));
                let six = String::from_utf8_lossy(&found["six/__init__.py"].1).into_owned();
                assert_eq!(six, "WHOSE = 'private'\n", "{form}");
                assert!(!found.values().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(PASSWORD)), "{form}");
            }
            Refused(words) => {
                assert_eq!(output.status.code(), Some(1), "{form}: {text}");
                assert!(text.contains(words), "{form}: {text}");
                assert!(
                    ["`six", "six==1.0", "`-e ./libs/six`", "`nope`"].iter().any(|name| text.contains(name)),
                    "{form}: {text}"
                );
                assert!(!bench.path("out/site.zip").exists(), "{form}");
            }
        }
    }

    /// Each form, with what has to come out with uv and with pip.
    fn each(&self, forms: &[Form<'_>]) {
        with_each_installer(|uv| {
            let mut wrong: Vec<String> = Vec::new();
            for (form, files, with_uv, with_pip) in forms {
                let bench = self.bench(files);
                let out = if uv.is_some() { with_uv } else { with_pip };
                let (form, output) = (format!("{form} (uv: {})", uv.is_some()), self.build(&bench, uv));
                // One wrong form hides no other.
                let judged = catch_unwind(AssertUnwindSafe(|| self.expect(&form, &output, &bench, *out)));
                wrong.extend(judged.err().map(|_| form));
            }
            assert!(wrong.is_empty(), "wrong: {wrong:?}");
        });
    }
}

pub(crate) fn library(directory: &Path, name: &str, dependencies: &str, more: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let text = format!("[project]\nname = '{name}'\nversion = '1'\ndependencies = [{dependencies}]\n{BUILD}{more}");
    std::fs::write(directory.join("pyproject.toml"), text).unwrap();
    std::fs::write(directory.join("backend.py"), BACKEND).unwrap();
    std::fs::write(directory.join("text.py"), "WHOSE = 'private'\n").unwrap();
}

const WORKSPACE: (&str, &str) = ("pyproject.toml", "[tool.uv.workspace]\nmembers = ['app', 'libs/*']\n");
const PROJECT: &str = "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['six']\n";

macro_rules! project {
    ($more:expr) => {
        (
            "app/pyproject.toml",
            concat!(
                "[project]\nname = 'site'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['six']\n",
                $more
            ),
        )
    };
}
/// An index that answers only for what names it.
macro_rules! pinned {
    () => {
        "[tool.uv.sources]\nsix = { index = 'corp' }\n[[tool.uv.index]]\nname = 'corp'\nurl = '{CORP}'\nexplicit = true\n"
    };
}
const LIB: (&str, &str) = ("libs/six/", "");

#[test]
fn a_source_of_uv_is_where_a_package_comes_from() {
    let mid = ("libs/mid/", "'six'---\n[tool.uv.sources]\nsix = { workspace = true }\n");
    let mid_of_corp = ("libs/mid/", concat!("'six'---\n", pinned!()));
    let needs_mid = |source: &str| format!("{}[tool.uv.sources]\nmid = {source}\n", PROJECT.replace("'six'", "'mid'"));
    let (by_workspace, by_path) = (needs_mid("{ workspace = true }"), needs_mid("{ path = '../libs/mid' }"));
    let of_root = format!("{}[tool.uv.sources]\nsix = {{ workspace = true }}\n", WORKSPACE.1);
    let index_of_root = format!("{}{}", WORKSPACE.1, pinned!());
    let own = [project!("[tool.uv.sources]\nsix = { workspace = true }\n"), WORKSPACE, LIB];
    let alternatives = concat!(
        "[tool.uv.sources]\nsix = [{ path = '../libs/six', marker = \"sys_platform == 'linux'\" }, ",
        "{ index = 'corp', marker = \"sys_platform != 'linux'\" }]\n[[tool.uv.index]]\nname = 'corp'\nurl = '{CORP}'\n"
    );
    let alternatives = format!("{PROJECT}{alternatives}");
    Stage::new(false).each(&[
        ("workspace", &own, Private, Private),
        ("workspace by its root", &[("pyproject.toml", &of_root), project!(""), LIB], Private, Private),
        ("member over member", &[("app/pyproject.toml", &by_workspace), WORKSPACE, mid, LIB], Private, Private),
        ("path to what needs an index", &[("app/pyproject.toml", &by_path), mid_of_corp], Private, Private),
        (
            "path",
            &[project!("[tool.uv.sources]\nsix = { path = '../libs/six', editable = true }\n"), LIB],
            Private,
            Private,
        ),
        ("wheel", &[project!("[tool.uv.sources]\nsix = { path = '{WHEEL}' }\n")], Private, Private),
        ("git", &[project!("[tool.uv.sources]\nsix = { git = '{GIT}' }\n")], Private, Private),
        ("url", &[project!("[tool.uv.sources]\nsix = { url = '{FILE}' }\n")], Private, Private),
        ("index", &[project!(pinned!())], Private, Private),
        ("index of the root", &[("pyproject.toml", &index_of_root), project!("")], Private, Private),
        ("alternatives", &[("app/pyproject.toml", &alternatives), LIB], Private, Refused("install uv")),
    ]);
}

#[test]
fn a_package_of_the_workspace_is_not_taken_from_an_index_without_its_source() {
    let edit = "add `six = { workspace = true }` to `[tool.uv.sources]` of `";
    let mid = ("libs/mid/", "'six'");
    let needs_mid = PROJECT.replace("'six'", "'mid'") + "[tool.uv.sources]\nmid = { workspace = true }\n";
    let mid_by_path = needs_mid.replace("workspace = true", "path = '../libs/mid'");
    let list = |text: &'static str| ("app/requirements.txt", text);
    let libraries = ("pyproject.toml", "[tool.uv.workspace]\nmembers = ['libs/*']\n");
    let by_directory = "list its directory instead of its name: `../libs/six`";
    Stage::new(false).each(&[
        ("no source", &[project!(""), WORKSPACE, LIB], Refused(edit), Refused("app/pyproject.toml:5")),
        (
            "a member's",
            &[("app/pyproject.toml", &needs_mid), WORKSPACE, mid, LIB],
            Refused("six"),
            Refused("libs/mid/pyproject.toml:4"),
        ),
        (
            "a directory's",
            &[("app/pyproject.toml", &mid_by_path), libraries, mid, LIB],
            Refused("six"),
            Refused("libs/mid/pyproject.toml:4"),
        ),
        ("a list's", &[list("six\n"), project!(""), WORKSPACE, LIB], Refused(by_directory), Refused(by_directory)),
        (
            "a list's, without a project",
            &[list("leaf\nsix==1.0\n"), libraries, LIB],
            Refused("requirements.txt:2"),
            Refused("libs/six/pyproject.toml:2"),
        ),
        ("by its directory", &[list("../libs/six\n"), libraries, LIB], Private, Private),
    ]);
}

#[test]
fn a_list_that_is_not_next_to_the_project_has_its_sources_too() {
    let manifest = format!("{MANIFEST}dependencies = 'deps.txt'\n");
    let beside = [("deploy.toml", &*manifest), ("deps.txt", "leaf\nsix\n")];
    let inner = manifest.replace("deps.txt", "deps/pyproject.toml");
    let shared = manifest.replace("deps.txt", "shared/deps.txt");
    let by_path = project!("[tool.uv.sources]\nsix = { path = '../libs/six' }\n");
    let of_root = format!("{}[tool.uv.sources]\nsix = {{ workspace = true }}\n", WORKSPACE.1);
    let root_has_an_index =
        "[tool.uv.workspace]\nmembers = ['libs/*']\n[[tool.uv.index]]\nurl = '{CORP}'\ndefault = true\n";
    let list = ("app/requirements.txt", "six\n");
    let poetry = ("app/pyproject.toml", "[tool.poetry.dependencies]\nsix = { path = '../libs/six' }\n");
    let poetry_of_root = ("pyproject.toml", poetry.1);
    let settings = ("app/pyproject.toml", "[tool.ruff]\nline-length = 100\n");
    let direct = format!("{}# x\n", PROJECT.replace("'six'", "'six @ file://{WHEEL}'"));
    let pdm = ("app/pdm.lock", "[[package]]\nname = 'six'\npath = './libs/six'\n");
    let pipfile = ("Pipfile", "[packages]\nsix = {path = './libs/six'}\n");
    let links = project!("[tool.uv]\nfind-links = ['{WHEELS}']\n");
    let default = project!("[[tool.uv.index]]\nurl = '{CORP}'\ndefault = true\n");
    let included = [("deploy.toml", &*shared), ("shared/deps.txt", "-r ../app/more.txt\n"), ("app/more.txt", "six\n")];
    Stage::new(false).each(&[
        ("path", &[beside[0], beside[1], by_path, LIB], Refused("deps.txt:2"), Refused("app/pyproject.toml:7")),
        ("included", &[included[0], included[1], included[2], by_path, LIB], Refused("more.txt:1"), Refused("toml:7")),
        ("direct", &[beside[0], beside[1], ("app/pyproject.toml", &direct)], Refused("deps.txt:2"), Refused("toml:5")),
        ("poetry", &[beside[0], beside[1], poetry, LIB], Refused("deps.txt:2"), Refused("app/pyproject.toml:2")),
        ("pdm", &[beside[0], beside[1], pdm, LIB], Refused("deps.txt:2"), Refused("app/pdm.lock:2")),
        ("links", &[beside[0], ("deps.txt", "six\n"), links], Refused("deps.txt"), Refused("app/pyproject.toml")),
        ("index", &[beside[0], ("deps.txt", "six\n"), default], Refused("deps.txt"), Refused("app/pyproject.toml")),
        (
            "another project",
            &[("deploy.toml", &inner), ("deps/pyproject.toml", PROJECT), by_path, LIB],
            Refused("deps/pyproject.toml:5"),
            Refused("app/pyproject.toml:7"),
        ),
        (
            "root",
            &[("pyproject.toml", &of_root), list, LIB],
            Refused("requirements.txt:1"),
            Refused("pyproject.toml:4"),
        ),
        (
            "root, beside settings",
            &[("pyproject.toml", &of_root), list, settings, LIB],
            Refused("requirements.txt:1"),
            Refused("pyproject.toml:4"),
        ),
        ("poetry's root", &[poetry_of_root, list, LIB], Refused("requirements.txt:1"), Refused("pyproject.toml:2")),
        ("Pipfile above", &[pipfile, list, LIB], Refused("Pipfile:2"), Refused("requirements.txt:1")),
        ("index of the root", &[("pyproject.toml", root_has_an_index), list], Private, Private),
    ]);
}

#[test]
fn an_index_of_the_project_counts_before_the_machines() {
    let twice = "is in more than one";
    Stage::new(false).each(&[
        ("default", &[project!("[[tool.uv.index]]\nurl = '{CORP}'\ndefault = true\n")], Private, Private),
        ("named", &[project!("[[tool.uv.index]]\nname = 'corp'\nurl = '{CORP}'\n")], Private, Refused(twice)),
        ("index-url", &[project!("[tool.uv]\nindex-url = '{CORP}'\n")], Private, Private),
        ("extra-index-url", &[project!("[tool.uv]\nextra-index-url = ['{CORP}']\n")], Private, Refused(twice)),
        ("find-links", &[project!("[tool.uv]\nfind-links = ['{WHEELS}']\n")], Refused(twice), Refused(twice)),
        ("no-index", &[project!("[tool.uv]\nno-index = true\nfind-links = ['{WHEELS}']\n")], Private, Private),
        (
            "override",
            &[project!("[tool.uv]\noverride-dependencies = ['six @ file://{WHEEL}']\n")],
            Private,
            Refused("override-dependencies"),
        ),
        (
            "constraint",
            &[project!("[tool.uv]\nconstraint-dependencies = ['six @ file://{WHEEL}']\n")],
            Private,
            Private,
        ),
        ("uv.toml", &[project!(""), ("app/uv.toml", "[[index]]\nurl = '{CORP}'\ndefault = true\n")], Private, Private),
    ]);
}

#[test]
fn a_requirement_comes_from_the_place_that_its_list_names() {
    let twice = "is in more than one";
    let list = |text: &'static str| [("app/requirements.txt", text)];
    let mid = ("app/libs/mid/", "'six'---\n[tool.uv.sources]\nsix = { path = '../six' }\n");
    let six = ("app/libs/six/", "");
    let own_source = project!("[tool.uv.sources]\nsix = { path = 'libs/six' }\n");
    Stage::new(false).each(&[
        ("index", &list("--index-url {CORP}\nsix\n"), Private, Private),
        ("extra", &list("--extra-index-url {CORP}\nsix\nleaf\n"), Private, Refused(twice)),
        (
            "the public one is extra",
            &list("-i {CORP}\n--extra-index-url {PUBLIC}\nsix\n"),
            Refused(twice),
            Refused(twice),
        ),
        (
            "two, with a digest",
            &list("-i {CORP}\n--extra-index-url {PUBLIC}\nsix==1.0 --hash=sha256:{DIGEST}\n"),
            // With uv the first index that has the name counts alone, and that has another version.
            Refused("six==1.0"),
            Private,
        ),
        ("links", &list("--find-links {WHEELS}\nsix\n"), Refused(twice), Refused(twice)),
        ("links, pinned", &list("--find-links {WHEELS}\nsix==1.0\n"), Private, Private),
        ("no index", &list("--no-index\n-f {WHEELS}\nsix\n"), Private, Private),
        ("directory", &[("app/requirements.txt", "./libs/six\n"), six], Private, Private),
        ("directory by name", &[("app/requirements.txt", "six @ file://{ROOT}/app/libs/six\n"), six], Private, Private),
        ("directory that needs it", &[("app/requirements.txt", "./libs/mid\n"), mid, six], Private, Private),
        ("git", &list("git+{GIT}#egg=six\n"), Private, Private),
        ("url", &list("six @ {FILE}\n"), Private, Private),
        (
            "another list",
            &[("app/requirements.txt", "-r more/a.txt\n"), ("app/more/a.txt", "-i {CORP}\nsix\n")],
            Private,
            Private,
        ),
        (
            "constraint",
            &[("app/requirements.txt", "-c c.txt\nsix\n"), ("app/c.txt", "six @ file://{WHEEL}\n")],
            Private,
            Private,
        ),
        (
            "the project says otherwise",
            &[("app/requirements.txt", "leaf\nsix\n"), own_source, six],
            Refused("requirements.txt:2"),
            Refused("pyproject.toml:7"),
        ),
        (
            "editable",
            &[("app/requirements.txt", "-e ./libs/six\n"), six],
            Refused("-e ./libs/six"),
            Refused("-e ./libs/six"),
        ),
    ]);
}

#[test]
fn a_requirement_of_a_project_names_its_place() {
    let project = |place: &str| PROJECT.replace("'six'", &format!("'six @ {place}'"));
    let (url, git, file) = (project("{FILE}"), project("git+{GIT}"), project("file://{WHEEL}"));
    let hatch = project("{root:parent:uri}/libs/six") + "[tool.hatch.metadata]\nallow-direct-references = true\n";
    Stage::new(false).each(&[
        ("url", &[("app/pyproject.toml", &url)], Private, Private),
        ("git", &[("app/pyproject.toml", &git)], Private, Private),
        ("file", &[("app/pyproject.toml", &file)], Private, Private),
        ("hatch", &[("app/pyproject.toml", &hatch), LIB], Private, Private),
    ]);
}

#[test]
fn a_lock_of_poetry_says_where_a_package_comes_from() {
    let project =
        "[tool.poetry.dependencies]\npython = '^3.11'\nleaf = '*'\nsix = { version = '*', source = 'corp' }\n";
    let project = ("app/pyproject.toml", project);
    let lock = |files: &str, source: &str| {
        let leaf = "[[package]]\nname = 'leaf'\nversion = '1.0'\nfiles = []\n";
        format!("{leaf}[[package]]\nname = 'six'\nversion = '1.0'\nfiles = [{files}]\n{source}")
    };
    let of = |kind: &str, url: &str| {
        lock("", &format!("[package.source]\ntype = '{kind}'\nurl = '{url}'\nreference = 'corp'\n"))
    };
    let (index, directory, file, url) =
        (of("legacy", "{CORP}"), of("directory", "../libs/six"), of("file", "{WHEEL}"), of("url", "{FILE}"));
    let git = of("git", "{GIT}").replace("'corp'", "'main'\nresolved_reference = '{COMMIT}'");
    let digest = |digest: &str| format!("{{ file = 'six-1.0-py3-none-any.whl', hash = 'sha256:{digest}' }}");
    let source = "[package.source]\ntype = 'legacy'\nurl = '{CORP}'\nreference = 'corp'\n";
    let (good, bad) = (lock(&digest("{DIGEST}"), source), lock(&digest(&"0".repeat(64)), source));
    let old = lock("", "");
    let mixed = format!("{PROJECT}[tool.poetry.dependencies]\nsix = {{ source = 'corp' }}\n");
    let primary = format!("{PROJECT}[[tool.poetry.source]]\nname = 'corp'\nurl = '{{CORP}}'\n");
    Stage::new(false).each(&[
        ("index", &[project, ("app/poetry.lock", &index)], Private, Private),
        ("directory", &[project, ("app/poetry.lock", &directory), LIB], Private, Private),
        ("file", &[project, ("app/poetry.lock", &file)], Private, Private),
        ("url", &[project, ("app/poetry.lock", &url)], Private, Private),
        ("git", &[project, ("app/poetry.lock", &git)], Private, Private),
        ("digest", &[project, ("app/poetry.lock", &good)], Private, Private),
        ("another digest", &[project, ("app/poetry.lock", &bad)], Refused("six"), Refused("six")),
        (
            "older than its project",
            &[project, ("app/poetry.lock", &old)],
            Refused("poetry lock"),
            Refused("pyproject.toml:4"),
        ),
        ("no lock", &[("app/pyproject.toml", &mixed)], Refused("poetry lock"), Refused("pyproject.toml:7")),
        (
            "no lock, an index for all",
            &[("app/pyproject.toml", &primary)],
            Refused("poetry lock"),
            Refused("pyproject.toml:6"),
        ),
    ]);
}

#[test]
fn what_another_tool_takes_from_elsewhere_is_not_taken_from_the_index() {
    let pdm = format!("{PROJECT}[[tool.pdm.source]]\nname = 'corp'\nurl = '{{CORP}}'\n");
    let list = ("app/requirements.txt", "six\n");
    let pipfile = "[[source]]\nname = 'priv'\nurl = '{CORP}'\n[packages]\nsix = {index = 'priv'}\n";
    let rye = format!("{PROJECT}[[tool.rye.sources]]\nname = 'corp'\nurl = '{{CORP}}'\n");
    let lib = ("libs/mid/", "'six'---\n[tool.poetry.dependencies]\nsix = { source = 'corp' }\n");
    let needs_lib = PROJECT.replace("'six'", "'mid'") + "[tool.uv.sources]\nmid = { path = '../libs/mid' }\n";
    Stage::new(false).each(&[
        ("pdm", &[("app/pyproject.toml", &pdm)], Refused("pdm export"), Refused("pyproject.toml:6")),
        ("Pipfile", &[list, ("app/Pipfile", pipfile)], Refused("Pipfile:5"), Refused("pipenv requirements --hash")),
        ("rye", &[("app/pyproject.toml", &rye)], Refused("pyproject.toml:6"), Refused("--index-url")),
        (
            "a library's index",
            &[("app/pyproject.toml", &needs_lib), lib],
            Refused("libs/mid/pyproject.toml"),
            Refused("libs/mid/pyproject.toml"),
        ),
    ]);
}

#[test]
fn a_lock_of_another_tool_says_where_a_package_comes_from() {
    let pdm = |rest: &str| format!("[[package]]\nname = 'six'\nversion = '1.0'\n{rest}\n");
    let (of_path, of_git) = (pdm("path = '../libs/six'"), pdm("git = '{GIT}'\nrevision = '{COMMIT}'"));
    let of_file = pdm("url = '{FILE}'\nfiles = [{ url = '{FILE}', hash = 'sha256:{DIGEST}' }]");
    let mirror = project!("[[tool.pdm.source]]\nname = 'pypi'\nurl = '{CORP}'\n");
    let pylock = |rest: &str| {
        format!("lock-version = '1.0'\ncreated-by = 'test'\n[[packages]]\nname = 'six'\nversion = '1.0'\n{rest}\n")
    };
    let wheels = "wheels = [{ url = '{FILE}', hashes = { sha256 = '{DIGEST}' } }]";
    let of_index = pylock(&format!("index = '{{CORP}}'\n{wheels}"));
    let of_directory = pylock("directory = { path = '../libs/six' }");
    let of_vcs = pylock("vcs = { type = 'git', url = '{GIT}', commit-id = '{COMMIT}' }");
    let of_archive = pylock("archive = { url = '{FILE}', hashes = { sha256 = '{DIGEST}' } }");
    let pipenv = |source: &str, entry: &str| {
        format!(
            r#"{{"_meta": {{"sources": [{source}{{"name": "corp", "url": "{{CORP}}"}}]}}, "default": {{"six": {entry}}}}}"#
        )
    };
    let public = r#"{"name": "pypi", "url": "{PUBLIC}"}, "#;
    let named = pipenv(public, r#"{"index": "corp", "version": "==1.0", "hashes": ["sha256:{DIGEST}"]}"#);
    let first = pipenv("", r#"{"version": "==1.0"}"#);
    let at_path = pipenv(public, r#"{"path": "../libs/six"}"#);
    let of_ref = pipenv(public, r#"{"git": "{GIT}", "ref": "{COMMIT}"}"#);
    let wrong = pipenv(public, r#"{"index": "corp", "version": "==1.0", "hashes": ["sha256:00"]}"#);
    let list = ("app/requirements.txt", "six\n");
    Stage::new(false).each(&[
        ("pdm, path", &[project!(""), ("app/pdm.lock", &of_path), LIB], Private, Private),
        ("pdm, git", &[project!(""), ("app/pdm.lock", &of_git)], Private, Private),
        ("pdm, url", &[project!(""), ("app/pdm.lock", &of_file)], Private, Private),
        ("pdm, mirror", &[mirror, ("app/pdm.lock", &pdm(""))], Private, Private),
        ("pylock, index", &[project!(""), ("app/pylock.toml", &of_index)], Private, Private),
        ("pylock, directory", &[project!(""), ("app/pylock.toml", &of_directory), LIB], Private, Private),
        ("pylock, git", &[project!(""), ("app/pylock.toml", &of_vcs)], Private, Private),
        ("pylock, archive", &[project!(""), ("app/pylock.toml", &of_archive)], Private, Private),
        ("Pipfile.lock, index", &[list, ("app/Pipfile.lock", &named)], Private, Private),
        ("Pipfile.lock, first index", &[("app/Pipfile.lock", &first)], Private, Private),
        ("Pipfile.lock, path", &[("app/Pipfile.lock", &at_path), LIB], Private, Private),
        ("Pipfile.lock, git", &[("app/Pipfile.lock", &of_ref)], Private, Private),
        ("Pipfile.lock, another digest", &[("app/Pipfile.lock", &wrong)], Refused("six"), Refused("six")),
    ]);
}

#[test]
fn a_lock_of_uv_says_where_a_package_comes_from() {
    let Some(uv) = tools("uv", UV) else { return };
    let stage = Stage::new(false);
    let lock = |bench: &Bench| {
        let mut command = Command::new(uv.join("uv"));
        command.arg("lock").current_dir(bench.path("app")).env("HOME", bench.path("home"));
        stage.settle(&mut command, bench, None);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    let mid = ("libs/mid/", "'six'---\n[tool.uv.sources]\nsix = { workspace = true }\n");
    let needs_mid = PROJECT.replace("'six'", "'mid'") + "[tool.uv.sources]\nmid = { workspace = true }\n";
    let forms: [(&str, &[(&str, &str)]); 6] = [
        ("workspace", &[project!("[tool.uv.sources]\nsix = { workspace = true }\n"), WORKSPACE, LIB]),
        ("member over member", &[("app/pyproject.toml", &needs_mid), WORKSPACE, mid, LIB]),
        ("path", &[project!("[tool.uv.sources]\nsix = { path = '../libs/six' }\n"), LIB]),
        ("git", &[project!("[tool.uv.sources]\nsix = { git = '{GIT}' }\n")]),
        ("url", &[project!("[tool.uv.sources]\nsix = { url = '{FILE}' }\n")]),
        ("index", &[project!(pinned!())]),
    ];
    for (form, files) in forms {
        let bench = stage.bench(files);
        lock(&bench);
        for uv in [Some(&*uv), None] {
            stage.expect(form, &stage.build(&bench, uv), &bench, Private);
            std::fs::remove_dir_all(bench.path("out")).unwrap();
        }
        if form == "url" {
            // Uv reads no lock that has a file without its digest.
            continue;
        }
        // Without digests the lock still names the file.
        let file =
            ["app/uv.lock", "uv.lock"].map(|name| bench.path(name)).into_iter().find(|file| file.is_file()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let bare: Vec<&str> = text.split(", hash = \"sha256:").collect();
        let bare = bare.iter().enumerate().map(|(at, part)| if at == 0 { part } else { &part[65..] });
        std::fs::write(&file, bare.collect::<String>()).unwrap();
        stage.expect(&format!("{form}, no digests"), &stage.build(&bench, Some(&uv)), &bench, Private);
        // What is built from a directory is built again when it changes.
        if bench.path("libs/six").is_dir() {
            bench.write("libs/six/text.py", "WHOSE = 'private'\n# later\n");
            assert!(stage.build(&bench, Some(&uv)).status.success());
            assert!(contents(&bench.path("out/site.zip"))["six/__init__.py"].1.ends_with(b"# later\n"), "{form}");
        }
    }
    let old = stage.bench(&[project!("")]);
    lock(&old);
    old.write("app/pyproject.toml", &stage.filled(&format!("{PROJECT}{}", pinned!()), &old));
    for uv in [Some(&*uv), None] {
        stage.expect("older than its project", &stage.build(&old, uv), &old, Refused("uv lock"));
    }
    // uv locks the latest version, and that is the public one.
    let links = stage.bench(&[project!("[tool.uv]\nfind-links = ['{WHEELS}']\n")]);
    lock(&links);
    stage.expect("find-links", &stage.build(&links, Some(&uv)), &links, Refused("is in more than one"));
}

#[test]
fn a_password_of_an_index_is_used_and_neither_shown_nor_packed() {
    let stage = Stage::new(true);
    let pinned = format!("{PROJECT}{}", pinned!().replace("{CORP}", "{LOCKED}"));
    stage.each(&[
        ("list", &[("app/requirements.txt", "--index-url {LOCKED}\nsix\n")], Private, Private),
        ("project", &[("app/pyproject.toml", &pinned)], Private, Private),
        (
            "nothing there",
            &[("app/requirements.txt", "--index-url {LOCKED}\nsix\nnope\n")],
            Refused("nope"),
            Refused("nope"),
        ),
    ]);
    let bench = stage.bench(&[("app/requirements.txt", "--index-url {LOCKED}\nsix\n")]);
    let output = stage.build(&bench, None);
    assert!(said(&output).contains("`requirements.txt` is left out"), "{}", said(&output));
}
