//! Files of deployment tools, among them lamstream's manifests: settings, state and templates.
//!
//! Apps do not need them at run time, and an edit of one would change the package. If an app may use the same name for a
//! file of its own, the content decides.

use std::path::Path;

use toml::Table;

use super::copies;

/// Directories and files by their whole name.
const NAMES: [&str; 97] = [
    // AWS SAM, the CDK and that for Terraform, CodeBuild and CodeDeploy, App Runner, Elastic Beanstalk, Amplify, Chalice, Zappa, Claudia, Architect,
    // Up.
    ".aws-sam",
    "samconfig.toml",
    "samconfig.yaml",
    "samconfig.yml",
    "cdk.out",
    "cdk.json",
    "cdk.context.json",
    "cdktf.json",
    "cdktf.out",
    "cdktf.log",
    ".cdktf",
    ".cdk.staging",
    "buildspec.yml",
    "buildspec.yaml",
    "appspec.yml",
    "appspec.yaml",
    "apprunner.yaml",
    ".elasticbeanstalk",
    ".ebextensions",
    ".ebignore",
    ".amplify",
    "amplify.yml",
    ".chalice",
    "zappa_settings.json",
    "zappa_settings.toml",
    "zappa_settings.yml",
    "zappa_settings.yaml",
    "claudia.json",
    "app.arc",
    "up.json",
    // Terraform, OpenTofu, Terragrunt, Pulumi.
    ".terraform",
    ".terraform.lock.hcl",
    ".terraform.tfstate.lock.info",
    ".terraformrc",
    ".terraformignore",
    ".terragrunt-cache",
    "terragrunt.hcl",
    "terragrunt.stack.hcl",
    ".terraform-version",
    ".opentofu-version",
    ".tflint.hcl",
    ".pulumi",
    "Pulumi.yaml",
    "Pulumi.yml",
    // The Serverless Framework, SST.
    ".serverless",
    ".serverless_plugins",
    "serverless.yml",
    "serverless.yaml",
    "serverless.json",
    "serverless-compose.yml",
    "serverless-compose.yaml",
    "serverless-compose.json",
    ".sst",
    "sst.config.ts",
    "sst.config.js",
    "sst.config.mjs",
    "sst-env.d.ts",
    "open-next.config.ts",
    // Vercel, Netlify, Fly, Cloudflare, Firebase, Google, Render, Railway,
    // DigitalOcean, Heroku.
    ".vercel",
    ".vercelignore",
    "vercel.json",
    "now.json",
    ".nowignore",
    ".netlify",
    "netlify.toml",
    "fly.toml",
    ".wrangler",
    "wrangler.toml",
    "wrangler.json",
    "wrangler.jsonc",
    ".firebase",
    ".firebaserc",
    "firebase.json",
    ".gcloudignore",
    "render.yaml",
    "railway.json",
    "railway.toml",
    ".do",
    "heroku.yml",
    "nixpacks.toml",
    "cloudbuild.yaml",
    // Containers and CI.
    "Dockerfile",
    "Containerfile",
    ".dockerignore",
    "compose.yml",
    "compose.yaml",
    "docker-bake.hcl",
    "skaffold.yaml",
    ".circleci",
    ".buildkite",
    ".travis.yml",
    ".gitlab-ci.yml",
    ".drone.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    "Jenkinsfile",
];
/// The same by prefix and suffix of the name.
const PATTERNS: [(&str, &str); 22] = [
    ("", ".tf"),
    ("", ".tf.json"),
    ("", ".tofu"),
    ("", ".tofu.json"),
    ("", ".tfplan"),
    ("", ".tftest.hcl"),
    ("", ".tfstack.hcl"),
    ("", ".tfdeploy.hcl"),
    ("", ".tfbackend"),
    ("Pulumi.", ".yaml"),
    ("Pulumi.", ".yml"),
    ("docker-compose", ".yml"),
    ("docker-compose", ".yaml"),
    ("Dockerfile.", ""),
    ("serverless.", ".yml"),
    ("serverless.", ".yaml"),
    ("samconfig.", ".toml"),
    ("samconfig.", ".yml"),
    ("samconfig.", ".yaml"),
    ("fly.", ".toml"),
    ("compose.", ".yml"),
    ("compose.", ".yaml"),
];
/// Terraform's state and variables contain secrets.
const SECRET_ENDS: [&str; 3] = [".tfstate", ".tfvars", ".tfvars.json"];
const SECRET_PARTS: [&str; 2] = [".tfstate.", ".tfvars."];
/// Names of SAM and CloudFormation templates.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];
/// The Serverless Framework's configuration as a program, and its keys. An app may have a handler of that name.
const PROGRAMS: [&str; 5] = ["serverless.js", "serverless.cjs", "serverless.mjs", "serverless.ts", "serverless.mts"];
const PROGRAM_KEYS: [&str; 2] = ["service", "provider"];
/// Directories of Copilot and Amplify, and what is in them and in no app's directory of that name.
const MARKED: [(&str, &str); 4] = [
    ("copilot", ".workspace"),
    ("amplify", ".config/project-config.json"),
    ("amplify", "team-provider-info.json"),
    ("amplify", "backend.ts"),
];
/// Words that only such a template contains.
const TEMPLATE_WORDS: [&str; 3] = ["AWSTemplateFormatVersion", "AWS::Serverless", "AWS::Lambda::Function"];
/// The default name of lamstream's manifest.
const MANIFEST: &str = "deploy.toml";
/// The keys that name a function's code.
const SOURCES: [&str; 3] = ["crate", "web", "package"];
/// Directories of installed packages, whose files are not judged.
const OF_OTHERS: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];
/// Larger files are not read. CloudFormation's largest template has 1 MB.
const LIMIT: u64 = 1_048_576;

/// Whether a name, in lower case, is that of a deployment tool's file with secrets.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || SECRET_PARTS.iter().any(|part| name.contains(part))
        || name == "terraform.tfstate.d"
}

/// Whether a file or directory belongs to a deployment tool. `inner` is its path in the packaged directory.
pub(crate) fn is(inner: &str, path: &Path, is_directory: bool) -> bool {
    let mut parts = inner.split('/');
    let Some(name) = parts.next_back().filter(|_| !parts.clone().any(|part| OF_OTHERS.contains(&part))) else {
        return false;
    };
    copies::with_originals(name).any(|name| is_of_tool(name, inner, path, is_directory))
}

/// The same for one of the names that it may have had.
fn is_of_tool(name: &str, inner: &str, path: &Path, is_directory: bool) -> bool {
    if NAMES.contains(&name) {
        return true;
    }
    let fits = |(begin, end): &(&str, &str)| {
        name.len() > begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
    };
    let is_ours = |unreadable| text(path).is_some_and(|text| is_manifest(&text).unwrap_or(unreadable));
    // The tools look for templates at the root.
    let is_theirs = || !inner.contains('/') || text(path).is_some_and(|text| is_template(&text));
    if is_directory {
        return MARKED.iter().any(|(directory, mark)| name == *directory && path.join(mark).is_file());
    }
    let is_program = || PROGRAMS.contains(&name) && text(path).is_some_and(|text| is_configuration(&text));
    PATTERNS.iter().any(fits)
        || (name.ends_with(".toml") && is_ours(name == MANIFEST))
        || (TEMPLATES.contains(&name) && is_theirs())
        || is_program()
}

/// Whether the name is a deployment tool's, but the content may be the app's own.
pub(crate) fn is_doubtful(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_one = copies::with_originals(name).any(|name| TEMPLATES.contains(&name));
    is_one && !text(path).is_some_and(|text| is_template(&text))
}

fn is_template(text: &str) -> bool {
    TEMPLATE_WORDS.iter().any(|word| text.contains(word))
}

/// Whether a program exports a configuration of the Serverless Framework.
fn is_configuration(text: &str) -> bool {
    let is_key = |key: &&str| {
        text.match_indices(*key).any(|(at, _)| {
            let before = text[..at].trim_end_matches(['"', '\'']).chars().next_back();
            let after = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            !before.is_some_and(|it| it.is_alphanumeric() || "_$.".contains(it)) && after.starts_with([':', ','])
        })
    };
    PROGRAM_KEYS.iter().all(is_key)
}

/// Whether it is a lamstream manifest, under any name: several may be in one directory. `None` if it is not
/// TOML.
fn is_manifest(text: &str) -> Option<bool> {
    let table: Table = text.parse().ok()?;
    let functions = table.get("functions").and_then(|functions| functions.as_table());
    let is_function = |function: &toml::Value| SOURCES.iter().any(|source| function.get(source).is_some());
    Some(
        table.get("app").is_some_and(toml::Value::is_str) && functions.is_some_and(|all| all.values().any(is_function)),
    )
}

fn text(path: &Path) -> Option<String> {
    // Reading a pipe would never end.
    path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= LIMIT)?;
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// The note about a file that was left out and may be the app's own.
pub(crate) fn note(file: &str) -> String {
    format!("`{file}` is left out: deployment tools use this name; add it to `include` if the app needs it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(files: &[(&str, &str)], judged: impl Fn(&str, &Path) -> bool) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let mut found = Vec::new();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            found.extend(judged(name, &path).then(|| (*name).to_owned()));
        }
        found
    }

    #[test]
    fn files_of_other_tools_are_known_and_those_of_an_app_are_not_taken_for_them() {
        let is_one = |name: &str| is(name, &Path::new("/nowhere").join(name), false);
        for name in [
            "samconfig.toml",
            "samconfig.prod.toml",
            "cdk.json",
            "serverless.yml",
            "serverless.prod.yml",
            "Pulumi.yaml",
            "Pulumi.dev.yaml",
            "main.tf",
            "netlify.toml",
            "vercel.json",
            "Dockerfile",
            "docker-compose.override.yml",
            "infra/fly.toml",
            "cdktf.json",
            "serverless-compose.json",
            "compose.yaml",
            "fly.staging.toml",
            "samconfig.toml.bak",
            "template.yaml.bak",
            "serverless.yml.old",
            "Dockerfile.orig",
            "main.tf.bak2",
        ] {
            assert!(is_one(name), "{name}");
        }
        for name in [
            "package.json",
            "pyproject.toml",
            "config.yaml",
            "Procfile",
            "serverless.js",
            "pulumi.py",
            "node_modules/x/netlify.toml",
            "app.yaml",
            "vercel.py",
            "tf",
            ".tf",
            "Dockerfile.d/x",
        ] {
            assert!(!is_one(name), "{name}");
        }
        for name in
            [".aws-sam", "cdk.out", "cdktf.out", ".terraform", ".serverless", ".sst", ".pulumi", ".vercel", ".netlify"]
        {
            assert!(is(name, Path::new("/nowhere"), true), "{name}");
        }
        for name in ["prod.tfstate", "terraform.tfstate.backup", "prod.tfvars", "a.auto.tfvars.json"] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn what_an_app_may_call_its_own_is_known_by_what_is_in_it() {
        let configuration = "module.exports = {\n  service: 'shop',\n  provider: { name: 'aws' },\n};\n";
        let typed = "const config: AWS = { 'service': name, \"provider\": aws };\nmodule.exports = config;\n";
        let handler = "import serverless from 'serverless-http';\nconst service = createService({ provider: 'x' });\n";
        let files = [
            ("serverless.js", configuration),
            ("infra/serverless.ts", typed),
            ("api/serverless.js", handler),
            ("copilot/.workspace", "application: shop"),
            ("app/copilot/main.py", ""),
            ("amplify/backend.ts", ""),
            ("app/amplify/__init__.py", ""),
        ];
        let found = in_directory(&files, |inner, path| is(inner, path, false));
        assert_eq!(found, ["serverless.js", "infra/serverless.ts"]);
        let around = |inner: &str, path: &Path| is(inner.rsplit_once('/').unwrap().0, path.parent().unwrap(), true);
        assert_eq!(in_directory(&files[3..], around), ["copilot/.workspace", "amplify/backend.ts"]);
    }

    #[test]
    fn a_manifest_of_ours_is_known_by_what_is_in_it() {
        let ours = "app = 'shop'\n[functions.site]\nweb = '.'\n";
        let files = [
            ("deploy.toml", ours),
            ("prod.toml", ours),
            ("deep/deploy.toml", "app = "),
            ("other/deploy.toml", "app = 'shop'\n"),
            ("settings.toml", "app = 'shop'\n[functions]\nadd = 'a + b'\n"),
            ("broken.toml", "app = "),
            ("node_modules/x/deploy.toml", ours),
            ("deploy.toml.bak", ours),
            ("old/prod.toml.old", ours),
            ("settings.toml.bak", "app = 'shop'\n"),
        ];
        let found = in_directory(&files, |inner, path| is(inner, path, false));
        assert_eq!(found, ["deploy.toml", "prod.toml", "deep/deploy.toml", "deploy.toml.bak", "old/prod.toml.old"]);
    }

    #[test]
    fn a_template_is_known_by_what_is_in_it_and_by_its_place() {
        let sam = "Transform: AWS::Serverless-2016-10-31\n";
        let files = [("template.yaml", "a: 1\n"), ("prompts/template.yaml", "a: 1\n"), ("infra/template.yml", sam)];
        let found = in_directory(&files, |inner, path| is(inner, path, false));
        assert_eq!(found, ["template.yaml", "infra/template.yml"]);
        assert_eq!(in_directory(&files, |_, path| is_doubtful(path)), ["template.yaml", "prompts/template.yaml"]);
    }
}
