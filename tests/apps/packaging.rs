//! What a directory's package holds, and which directories cannot be one.

use crate::support::bench::{Bench, said};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zip::ZipArchive;

pub(crate) const MANIFEST: &str =
    "app = 'shop'\n[functions.site]\nweb = 'app'\nruntime = 'python3.13'\nrun = 'run.sh'\n";
const RUN: &str = "#!/bin/sh\nexec python -m http.server $PORT\n";

/// A bench with an app of these files beside its `run.sh`, which is not executable.
pub(crate) fn app(manifest: &str, files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new(manifest);
    for (name, text) in [("run.sh", RUN)].iter().chain(files) {
        let path = bench.path("app").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    bench
}

/// Names to modes and bytes.
pub(crate) fn contents(zip: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut archive = ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let count = archive.len();
    let entry = |at| {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        (name, (entry.unix_mode().unwrap() & 0o777, bytes))
    };
    (0..count).map(entry).collect()
}

/// Unpacks a zip with its links, as Lambda does.
pub(crate) fn unpack(zip: &Path, to: &Path) {
    let mut archive = ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut links = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let path = to.join(&*entry.name().unwrap());
        let (is_link, mode) = (entry.is_symlink(), entry.unix_mode().unwrap());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if is_link {
            links.push((String::from_utf8(bytes).unwrap(), path));
        } else {
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode & 0o777)).unwrap();
        }
    }
    links.into_iter().for_each(|(target, path)| std::os::unix::fs::symlink(target, path).unwrap());
}

fn built(bench: &Bench) -> BTreeMap<String, (u32, Vec<u8>)> {
    contents(Path::new(&bench.path(bench.good(&["build", "--out", "out"]).trim())))
}

fn refused(bench: &Bench) -> String {
    ended_with(1, bench)
}

/// What the manifest is to blame for, at its place.
fn mistaken(bench: &Bench) -> String {
    let errors = ended_with(2, bench);
    assert!(errors.contains("error: deploy.toml:"), "{errors}");
    errors
}

fn ended_with(code: i32, bench: &Bench) -> String {
    let output = bench.run(&["build", "--out", "out"]);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_app_is_packaged_without_secrets_and_clutter() {
    let files = [
        ("main.py", "pass\n"),
        (".env", "TOKEN=planted\n"),
        (".git/HEAD", "ref\n"),
        ("__pycache__/main.cpython-313.pyc", ""),
        ("certs/server.pem", "-----BEGIN PRIVATE KEY-----\n"),
        ("certs/ca.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("docs/a.md", "text\n"),
    ];
    let bench = app(&format!("{MANIFEST}exclude = ['docs']\n"), &files);
    let output = bench.run(&["build", "--out", "out"]);
    let found = contents(&bench.path("out/site.zip"));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["certs/ca.pem", "main.py", "run.sh"]);
    assert_eq!((found["run.sh"].0, found["main.py"].0), (0o755, 0o644));
    let story = String::from_utf8(output.stderr).unwrap();
    assert!(story.contains("`.env` is left out") && story.contains("`certs/server.pem` is left out"), "{story}");

    let named = app(&format!("{MANIFEST}include = ['.env', '*.pem']\nexclude = ['docs']\n"), &files);
    assert_eq!(
        built(&named).keys().collect::<Vec<_>>(),
        [".env", "certs/ca.pem", "certs/server.pem", "main.py", "run.sh"]
    );
}

#[test]
fn the_same_app_is_the_same_zip_in_any_directory() {
    let zip = |mode| {
        let bench = app(MANIFEST, &[("main.py", "pass\n"), ("z/a", "1"), ("a/z", "2")]);
        std::fs::set_permissions(bench.path("app/run.sh"), std::fs::Permissions::from_mode(mode)).unwrap();
        bench.good(&["build", "--out", "out"]);
        std::fs::read(bench.path("out/site.zip")).unwrap()
    };
    assert_eq!(zip(0o644), zip(0o755));
}

#[test]
fn a_command_line_becomes_the_script_that_the_handler_names() {
    let manifest = MANIFEST.replace("'run.sh'", "'python -m http.server $PORT'");
    let found = built(&app(&manifest, &[("main.py", "")]));
    let (mode, script) = &found["lamstream-run.sh"];
    assert_eq!(*mode, 0o755);
    assert!(String::from_utf8_lossy(script).ends_with("exec python -m http.server $PORT\n"));
    let with_a_script = MANIFEST.replace("'run.sh'", "'FOO=1 ./run.sh --x'");
    let found = built(&app(&with_a_script, &[]));
    assert!(String::from_utf8_lossy(&found["lamstream-run.sh"].1).ends_with("\nFOO=1 ./run.sh --x\n"));
    assert_eq!(found["run.sh"].0, 0o755);
    let provided = manifest.replace("python3.13", "provided.al2023");
    assert!(built(&app(&provided, &[])).contains_key("bootstrap"));
}

#[test]
fn what_could_not_start_is_refused_before_anything_is_called() {
    let missing = mistaken(&app(&MANIFEST.replace("'run.sh'", "'start.sh'"), &[]));
    assert!(missing.contains("it has no `start.sh` to start the app with"), "{missing}");
    let windows = mistaken(&app(MANIFEST, &[("run.sh", "#!/bin/sh\r\nexec x\r\n")]));
    assert!(windows.contains("it has Windows line endings") && windows.contains("sed -i"), "{windows}");
    let no_script = mistaken(&app(MANIFEST, &[("run.sh", "python main.py\n")]));
    assert!(no_script.contains("starts with `#!`"), "{no_script}");
    let empty = MANIFEST.replace("web =", "package =").replace("run = 'run.sh'", "handler = 'main.handler'");
    let empty = mistaken(&app(&empty, &[("other.py", "")]));
    assert!(empty.contains("it has no file for the handler `main.handler`"), "{empty}");
    let nowhere = mistaken(&app(&MANIFEST.replace("'app'", "'nowhere'"), &[]));
    assert!(nowhere.contains("deploy.toml:3:7: cannot use the directory `nowhere`: it does not exist"), "{nowhere}");
}

#[test]
fn a_package_that_lambda_could_not_unpack_is_refused_with_what_is_large() {
    let bench = app(MANIFEST, &[("main.py", "")]);
    let model = std::fs::File::create(bench.path("app/model.bin")).unwrap();
    model.set_len(262_144_000).unwrap();
    let error = refused(&bench);
    assert!(error.contains("it unpacks to 2621440") && error.contains("`model.bin` 263 MB"), "{error}");
}

#[test]
fn a_directory_built_elsewhere_is_zipped_and_a_zip_is_kept_as_it_is() {
    let manifest =
        "app = 'shop'\n[functions.site]\npackage = 'app'\nruntime = 'python3.13'\nhandler = 'main.handler'\n";
    let bench = app(manifest, &[("main.py", "pass\n"), ("requirements.txt", "no-such-package==9\n")]);
    let found = built(&bench);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["main.py", "requirements.txt", "run.sh"]);
    let zip = std::fs::read(bench.path("out/site.zip")).unwrap();

    let with_a_secret = app(
        &manifest.replace("handler =", "include = ['.env']\nhandler ="),
        &[(".env", "TOKEN=planted\n"), ("main.py", "")],
    );
    with_a_secret.good(&["build", "--out", "."]);
    with_a_secret.write("deploy.toml", &manifest.replace("'app'", "'site.zip'"));
    let output = with_a_secret.run(&["build", "--out", "out"]);
    let story = String::from_utf8(output.stderr).unwrap();
    assert!(
        story.contains("the package of `site` contains `.env`, which looks like a secret; remove it unless"),
        "{story}"
    );

    std::fs::rename(bench.path("out/site.zip"), bench.path("site.zip")).unwrap();
    bench.write("deploy.toml", &manifest.replace("'app'", "'site.zip'"));
    bench.good(&["build", "--out", "out"]);
    assert_eq!(std::fs::read(bench.path("out/site.zip")).unwrap(), zip);

    bench.write(
        "deploy.toml",
        &manifest.replace("'app'", "'site.zip'").replace("handler = 'main.handler'", "run = 'start.sh'"),
    );
    assert!(mistaken(&bench).contains("it has no `start.sh` at its root"));
    bench.write("deploy.toml", &format!("{}exclude = ['x']\n", manifest.replace("'app'", "'site.zip'")));
    assert!(mistaken(&bench).contains("need a directory"));
}

/// Everything that says how something is deployed, beside an app that is packed from the manifest's own directory.
#[test]
fn what_deploys_an_app_is_neither_a_part_of_it_nor_a_change_of_it() {
    let manifest = "app = 'shop'\n[functions.site]\nweb = '.'\nruntime = 'python3.13'\nrun = 'run.sh'\n\
                    environment = { TOKEN = { file = 'token.txt' } }\n\
                    [stages.prod.functions.site.environment]\nTOKEN = { file = 'prod.token' }\n";
    let own = ["token.txt", "prod.token", "staging.toml"];
    let others = [
        "template.yaml",
        "samconfig.toml",
        ".aws-sam/build/a.py",
        "cdk.out/manifest.json",
        "cdk.json",
        ".terraform/x",
        "main.tf",
        "prod.tfstate",
        "prod.tfvars",
        ".serverless/x",
        "serverless.yml",
        ".sst/x",
        ".pulumi/x",
        "Pulumi.yaml",
        "Pulumi.dev.yaml",
        "cdktf.json",
        "cdktf.out/manifest.json",
        "compose.yaml",
        ".vercel/x",
        ".netlify/x",
        "infra/Dockerfile",
    ];
    let needed = ["config.yaml", "main.py", "package.json", "prompts/template.yaml", "pyproject.toml.txt", "run.sh"];
    let bench = Bench::new(manifest);
    for name in own.iter().chain(&others).chain(&needed) {
        bench.write_all(name, "planted\n");
    }
    bench.write("run.sh", RUN);
    bench.write("staging.toml", manifest);
    // Handlers may have this name, too.
    for name in ["serverless.js", "serverless.ts"] {
        bench.write(name, "module.exports = { service: 'shop', provider: { name: 'aws' } };\n");
    }
    let zip = |arguments: &[&str]| {
        let path = bench.good(&[&["build", "--out", "out"], arguments].concat());
        contents(Path::new(&bench.path(path.trim())))
    };
    let found = zip(&[]);
    assert_eq!(found.keys().collect::<Vec<_>>(), needed);
    for edited in [format!("# a word\n{manifest}"), manifest.replace("run =", "memory = 1024\nrun =")] {
        bench.write("deploy.toml", &edited);
        assert_eq!(zip(&[]), found);
    }
    assert_eq!(zip(&["--stage", "prod"]), found);
    assert_eq!(zip(&["--manifest", "staging.toml"]), found);
    let named = "include = ['deploy.toml', 'token.txt', 'cdk.out', 'template.yaml', 'Pulumi.*.yaml']\nrun =";
    bench.write("deploy.toml", &manifest.replace("run =", named));
    let found = zip(&[]);
    let more: Vec<&String> = found.keys().filter(|name| !needed.contains(&name.as_str())).collect();
    assert_eq!(more, ["Pulumi.dev.yaml", "cdk.out/manifest.json", "deploy.toml", "template.yaml", "token.txt"]);
}

#[test]
fn a_file_that_is_left_out_and_may_be_the_apps_own_is_reported() {
    let manifest = MANIFEST.replace("run =", "environment = { TOKEN = { file = 'app/token' } }\nrun =");
    let bench = app(&manifest, &[("token", "t"), ("template.json", "{}"), ("prod.tfvars", "a = 1")]);
    let story = String::from_utf8(bench.run(&["build", "--out", "out"]).stderr).unwrap();
    for name in ["token", "template.json", "prod.tfvars"] {
        assert!(story.contains(&format!("`{name}` is left out")), "{name}: {story}");
    }
}
