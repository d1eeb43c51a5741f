//! The manifest as a whole.

use super::function::Function;
use super::name::{NAME, is_name};
use super::outside::{Origin, Outside};
use super::problem::{Problem, Problems};
use super::section::{Entry, Notes, Section};
use super::stages::{self, Stage};
use super::{secrets, tags};
use crate::stack::{
    EXPIRES, Partition, function_name, is_secret_name, log_group, reserved_prefix, secret_path, stage_name,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use toml::de::DeTable;

/// AWS's limit for function names.
const FUNCTION_NAME_LIMIT: usize = 64;

/// The content of `deploy.toml`, with one stage applied or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub app: String,
    /// The only account to which the app may be deployed: twelve digits.
    pub account: Option<String>,
    pub region: Option<String>,
    /// The S3 bucket for packages that are too large for Lambda's own calls.
    pub artifact_bucket: Option<String>,
    /// The profile whose credentials functions get in the local cloud.
    pub local_credentials: Option<String>,
    /// The stage that was applied.
    pub stage: Option<String>,
    /// All stages and patterns, in the manifest's order.
    pub stages: Vec<String>,
    /// How long the stage is needed after its last deploy, as spelled: `7d`.
    pub expires: Option<String>,
    /// In the manifest's order.
    pub functions: Vec<Function>,
}

impl Manifest {
    /// What the names of the parameters begin with that `secret` stores: `/APP` or `/APP/STAGE`.
    pub fn secret_path(&self) -> String {
        secret_path(&self.app, self.stage.as_deref())
    }

    /// The name by which `secret` knows a parameter, if it is one of those that it stores for the app and the stage. The
    /// parameter may have a version.
    pub fn secret_of<'p>(&self, parameter: &'p str) -> Option<&'p str> {
        let path = self.secret_path();
        let name = parameter.strip_prefix(&path)?.strip_prefix('/')?;
        let name = name.split(':').next().unwrap_or(name);
        (is_secret_name(name) && reserved_prefix(&path).is_none()).then_some(name)
    }
}

/// Parses a manifest, with a stage applied if one is named.
pub fn parse(text: &str, stage: Option<&str>) -> Result<Manifest, Problems> {
    read(text, stage, false)
}

/// Parses a manifest as [`parse`] does. A stage that the manifest does not have, or no longer has, counts as one without keys
/// of its own.
pub fn parse_for_any_stage(text: &str, stage: Option<&str>) -> Result<Manifest, Problems> {
    read(text, stage, true)
}

fn read(text: &str, stage: Option<&str>, takes_any: bool) -> Result<Manifest, Problems> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Problems::of_syntax(&errors, text));
    }
    let root = document.get_ref();
    let notes = Notes::default();
    let stages = stages::read(root, &notes);
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let wanted = stage.and_then(|stage| stages::chosen(&stages, stage));
    if let Some(unknown) = stage.filter(|_| wanted.is_none() && !takes_any) {
        notes.borrow_mut().push(stages::unknown(unknown, &names));
    }

    let mut variants = variants(root, &stages, &notes);
    // Without a stage, the first.
    let chosen = wanted.and_then(|wanted| names.iter().position(|name| *name == wanted.name)).map_or(0, |nth| nth + 1);
    if let Some(stage) = stage {
        variants[chosen].name_stage(stage, &notes);
    }
    refuse_equal_names(&variants, &notes);
    refuse_disputed_logs(&variants, &notes);

    let problems = notes.into_inner();
    match problems.is_empty() {
        true => Ok(variants.swap_remove(chosen).into_manifest()),
        false => Err(Problems::new(problems, secrets::known(root))),
    }
}

/// The manifest with one stage applied, or none.
struct Variant {
    /// The manifest without its functions.
    manifest: Manifest,
    /// The functions, each with its place.
    functions: Vec<(Function, Range<usize>)>,
}

impl Variant {
    fn read(table: &DeTable<'_>, stage: Option<&str>, stages: &[&str], notes: &Notes) -> Variant {
        let root = Section::whole(table, notes);
        let app = root.required("app", "a name that everything deployed from here begins with");
        let app = app.and_then(|app| app.matching(is_name, NAME));
        let account = root.matching("account", is_account, "twelve digits");
        let region = root.entry("region").and_then(|region| read_region(&region));
        let bucket = "the name of an S3 bucket: 3 to 63 lowercase letters, digits, `-` and `.`";
        let bucket = root.matching("artifact_bucket", is_bucket, bucket);
        let local = root.section("local");
        let credentials = local.and_then(|local| {
            local.matching("credentials", |name| !name.trim().is_empty(), "the name of a profile of AWS")
        });
        let mut variant = Variant {
            manifest: Manifest {
                app: app.map(|app| app.into_inner().to_owned()).unwrap_or_default(),
                account: account.map(str::to_owned),
                region: region.map(str::to_owned),
                artifact_bucket: bucket.map(str::to_owned),
                local_credentials: credentials.map(str::to_owned),
                stage: stage.map(str::to_owned),
                expires: read_expires(&root, stage),
                stages: stages.iter().map(|&stage| stage.to_owned()).collect(),
                functions: Vec::new(),
            },
            functions: Vec::new(),
        };
        variant.read_functions(&root);
        if let Some(nested) = root.entry("stages").filter(|_| stage.is_some()) {
            nested.problem_with_name("a stage has no `stages` of its own");
        }
        variant
    }

    /// Problems that only the stage has name the stage, because their place may be outside it.
    fn of_stage(root: &DeTable<'_>, stage: &Stage<'_>, stages: &[&str], notes: &Notes) -> Variant {
        let own = Notes::default();
        let variant = Variant::read(&stage.applied_to(root), Some(&stage.example()), stages, &own);
        let mut notes = notes.borrow_mut();
        for problem in own.into_inner() {
            if !notes.contains(&problem) {
                let message = format!("in stage `{}`: {}", stage.name, problem.message);
                notes.push(Problem { message, ..problem });
            }
        }
        variant
    }

    /// Gives a stage that a pattern stands for its own name, cut so that the names of all functions are short enough.
    fn name_stage(&mut self, wanted: &str, notes: &Notes) {
        let longest = self.functions.iter().map(|(function, _)| function.name.len()).max().unwrap_or_default();
        let taken = self.manifest.app.len() + longest + "--".len();
        let stage = stage_name(wanted, FUNCTION_NAME_LIMIT.saturating_sub(taken));
        if taken + stage.len() > FUNCTION_NAME_LIMIT {
            let message = format!("the names of the app and its functions leave no room for the stage `{stage}`");
            notes.borrow_mut().push(Problem::new(None, message));
        }
        self.manifest.stage = Some(stage);
    }

    fn read_functions(&mut self, root: &Section<'_>) {
        let expected = "a table `[functions.NAME]` for each function";
        let Some(functions) = root.required("functions", expected).and_then(|all| all.section("`functions`".into()))
        else {
            return;
        };
        let entries = functions.all();
        if entries.is_empty() {
            functions.problem(format!("`functions` is empty, expected {expected}"));
        }
        for entry in entries {
            let Some(mut function) = Function::read(&entry, self.manifest.account.as_deref()) else { continue };
            function.tags.extend_with(self.manifest.expires.as_ref().map(|expires| (EXPIRES, expires.as_str())));
            let name = self.full_name(&function);
            if name.len() > FUNCTION_NAME_LIMIT {
                let length = name.len();
                entry.problem_with_name(format!(
                    "the function's full name `{name}` has {length} characters, expected at most {FUNCTION_NAME_LIMIT}"
                ));
            }
            tags::refuse_too_many(&function.tags, self.manifest.stage.is_some(), &entry);
            self.functions.push((function, entry.place));
        }
    }

    fn into_manifest(self) -> Manifest {
        Manifest { functions: self.functions.into_iter().map(|(function, _)| function).collect(), ..self.manifest }
    }

    /// The function's name on AWS.
    fn full_name(&self, function: &Function) -> String {
        function_name(&self.manifest.app, self.manifest.stage.as_deref(), &function.name)
    }
}

/// The files from which values are read, in any stage, relative to the manifest. `text` was already parsed.
pub fn value_files(text: &str) -> BTreeSet<PathBuf> {
    let (document, _) = DeTable::parse_recoverable(text);
    let (root, notes) = (document.get_ref(), Notes::default());
    let variants = variants(root, &stages::read(root, &notes), &notes);
    let functions = variants.iter().flat_map(|variant| &variant.functions);
    let file = |outside: &Outside| match &outside.origin {
        Origin::File(path) | Origin::EnvFile(path) => Some(path.clone()),
        _ => None,
    };
    functions.flat_map(|(function, _)| function.outside()).filter_map(file).collect()
}

/// The manifest without a stage, then with each stage.
fn variants(root: &DeTable<'_>, stages: &[Stage<'_>], notes: &Notes) -> Vec<Variant> {
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let mut variants = vec![Variant::read(root, None, &names, notes)];
    variants.extend(stages.iter().map(|stage| Variant::of_stage(root, stage, &names, notes)));
    variants
}

/// Two functions with the same name on AWS would overwrite each other, in one stage or across stages. Lambda's names
/// are case-sensitive, but roles are named after functions, and IAM ignores case.
fn refuse_equal_names(variants: &[Variant], notes: &Notes) {
    let mut known: BTreeMap<String, (&str, Option<&str>)> = BTreeMap::new();
    for variant in variants {
        let stage = variant.manifest.stage.as_deref();
        for (function, place) in &variant.functions {
            let name = variant.full_name(function);
            let Some((other, other_stage)) = known.insert(name.to_lowercase(), (&function.name, stage)) else {
                continue;
            };
            let message = if stage == other_stage {
                format!("`{other}` and `{}` differ only in case, expected different names", function.name)
            } else {
                let (here, there) = (within(stage), within(other_stage));
                let one = &function.name;
                format!("`{one}` {here} and `{other}` {there} would both be called `{name}` on AWS; rename one of them")
            };
            notes.borrow_mut().push(Problem::new(Some(place.clone()), message));
        }
    }
}

/// A log group that several functions share has one retention, and is none of their own groups.
fn refuse_disputed_logs(variants: &[Variant], notes: &Notes) {
    let all = || {
        variants.iter().flat_map(|variant| {
            let stage = variant.manifest.stage.as_deref();
            variant
                .functions
                .iter()
                .map(move |(function, place)| (function, stage, log_group(&variant.full_name(function)), place))
        })
    };
    let mut known: BTreeMap<&str, (&Function, Option<&str>)> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for (function, stage, own, place) in all() {
        let Some(group) = function.log_group.as_deref().filter(|group| *group != own) else { continue };
        let message = match known.get(group) {
            _ if all().any(|(_, _, other, _)| other == group) => {
                let name = &function.name;
                format!("`{name}` logs to `{group}`, which is another function's own log group, expected another name")
            }
            Some((other, other_stage)) if other.retention_days != function.retention_days => {
                let name = |function: &Function, of| match stage == *other_stage {
                    true => format!("`{}`", function.name),
                    false => format!("`{}` {}", function.name, within(of)),
                };
                let (one, other) = (name(function, stage), name(other, *other_stage));
                format!("{one} and {other} share the log group `{group}`, expected the same `log.retention_days`")
            }
            _ => {
                known.insert(group, (function, stage));
                continue;
            }
        };
        // What is wrong without a stage is wrong in most stages.
        if reported.insert((&function.name, group)) {
            notes.borrow_mut().push(Problem::new(Some(place.clone()), message));
        }
    }
}

fn read_expires(root: &Section<'_>, stage: Option<&str>) -> Option<String> {
    let entry = root.entry("expires")?;
    if stage.is_none() {
        entry.problem_with_name("`expires` is for a stage, expected it in `[stages.NAME]`");
    }
    let expires = entry.matching(is_lifetime, "a number of hours or days, such as `12h` or `7d`")?;
    Some(expires.into_inner().to_owned())
}

/// A whole number of hours or days, at most ten years.
fn is_lifetime(text: &str) -> bool {
    let hours = |unit| text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let number = hours('d').or(hours('h')).and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| (1..=3650).contains(&number))
}

fn within(stage: Option<&str>) -> String {
    stage.map_or("without a stage".into(), |stage| format!("in stage `{stage}`"))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_bucket(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let ends = text.starts_with(['-', '.']) || text.ends_with(['-', '.']);
    (3..=63).contains(&text.len()) && text.bytes().all(allowed) && !ends && !text.contains("..")
}

fn read_region<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    const EXPECTED: &str = "a region such as `eu-central-1`";
    let region = entry.matching(is_region, EXPECTED)?.into_inner();
    if is_region(region) && Partition::of(region).is_none() {
        entry.problem(format!("`region` is `{region}`, which is not in any AWS partition, expected {EXPECTED}"));
    }
    Some(region)
}

/// Whether the text has the form of a region, such as `eu-central-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, area)) = parts.split_last() else { return false };
    let is = |part: &str, of: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| of(&byte));
    area.len() >= 2 && area.iter().all(|part| is(part, u8::is_ascii_lowercase)) && is(number, u8::is_ascii_digit)
}
