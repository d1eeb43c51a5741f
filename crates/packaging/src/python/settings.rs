//! The indexes in this machine's settings: the variables and files of pip and uv.
//!
//! Neither tool reads the other's settings. A private index in one tool's settings must not be lost because the other tool
//! installs: a public package of the same name would be installed silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::indexes::{self, Indexes};
use super::project::{self, Project};
use crate::address;
use crate::error::BuildError;
use crate::tool;

type Variables = BTreeMap<String, String>;

/// The settings in force in one directory.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub pip: Indexes,
    pub uv: Indexes,
    /// All variables and files of both tools: if any of them changes, packages may come from another place.
    /// They may contain passwords, and are only hashed.
    read: Vec<(String, String)>,
}

impl Settings {
    /// # Errors
    /// When a file with settings cannot be read.
    pub(super) fn of(directory: &Path) -> Result<Settings, BuildError> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Settings::read(&std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(), directory)
    }

    fn read(variables: &Variables, directory: &Path) -> Result<Settings, BuildError> {
        let is_of_tool = |name: &str| ["PIP_", "UV_"].iter().any(|tool| name.starts_with(tool));
        let mut machine = Settings::default();
        machine.read.extend(variables.clone().into_iter().filter(|(name, _)| is_of_tool(name)));
        machine.pip = machine.of_pip(variables)?;
        machine.uv = machine.of_uv(variables, directory)?;
        Ok(machine)
    }

    /// Everything that was read, to be hashed.
    pub(super) fn key(&self) -> String {
        format!("{:?}", self.read)
    }

    fn text(&mut self, file: &Path) -> Result<String, BuildError> {
        if !file.is_file() {
            return Ok(String::new());
        }
        let text = tool::text(file)?;
        self.read.push((file.display().to_string(), text.clone()));
        Ok(text)
    }

    /// In ascending precedence, the variables last.
    fn of_pip(&mut self, variables: &Variables) -> Result<Indexes, BuildError> {
        let mut settings = BTreeMap::new();
        for file in files_of_pip(variables) {
            settings.extend(settings_of_pip(&self.text(&file)?));
        }
        let value = |names: &[&str]| {
            let variable = |name: &&str| set(variables, &format!("PIP_{}", name.to_uppercase().replace('-', "_")));
            let of = |section: &str| {
                names.iter().find_map(|name| settings.get(&format!("{section}.{name}"))).filter(|it| !it.is_empty())
            };
            names.iter().find_map(variable).or_else(|| of("install")).or_else(|| of("global")).cloned()
        };
        let words = |names: &[&str]| -> Vec<String> {
            value(names).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        Ok(Indexes {
            main: value(&["index-url", "pypi-url"]),
            extra: words(&["extra-index-url"]),
            links: words(&["find-links"]),
            none: value(&["no-index"]).is_some_and(|value| is_true(&value)),
            ..Indexes::default()
        })
    }

    /// In descending precedence.
    fn of_uv(&mut self, variables: &Variables, directory: &Path) -> Result<Indexes, BuildError> {
        let value = |name: &str| set(variables, name).cloned();
        let words = |name: &str| -> Vec<String> {
            value(name).unwrap_or_default().split_whitespace().map(|text| without_name(text).to_owned()).collect()
        };
        let mut found = Indexes {
            main: value("UV_DEFAULT_INDEX").or_else(|| value("UV_INDEX_URL")).map(|it| without_name(&it).to_owned()),
            extra: words("UV_INDEX").into_iter().chain(words("UV_EXTRA_INDEX_URL")).collect(),
            links: value("UV_FIND_LINKS").iter().flat_map(|it| it.split(',')).map(str::to_owned).collect(),
            none: value("UV_NO_INDEX").is_some_and(|value| is_true(&value)),
            ..Indexes::default()
        };
        for file in files_of_uv(variables, directory) {
            let text = self.text(&file)?;
            let table = tool::table(&file, &text)?;
            let of_tool = table.get("tool").and_then(|tool| tool.get("uv")?.as_table());
            let is_project = file.file_name().is_some_and(|name| name == project::FILE);
            let Some(table) = (if is_project { of_tool } else { Some(&table) }) else { continue };
            let more = indexes::read(table, &tool::around(&file), file.display().to_string());
            found.main = found.main.or(more.main);
            found.extra.extend(more.extra);
            found.links.extend(more.links);
            found.none |= more.none;
        }
        Ok(found)
    }
}

/// The indexes in one tool's `settings` that the other tool does not have. `knows` is what it has: its own settings, and
/// those of the project and the list.
pub(super) fn lost(settings: &Indexes, knows: &[&Indexes]) -> Indexes {
    let is_in = |all: &[String], address: &String| all.iter().any(|known| address::is_same(known, address));
    let names_main = knows.iter().any(|known| known.main.is_some());
    let is_index = |address: &&String| {
        !knows.iter().any(|known| is_in(&known.extra, address) || is_in(known.main.as_slice(), address))
    };
    let is_link = |address: &&String| !knows.iter().any(|known| is_in(&known.links, address));
    Indexes {
        main: settings.main.clone().filter(|_| !names_main),
        extra: settings.extra.iter().filter(is_index).cloned().collect(),
        links: settings.links.iter().filter(is_link).cloned().collect(),
        none: settings.none && !names_main && !knows.iter().any(|known| known.none),
        ..Indexes::default()
    }
}

fn set<'a>(variables: &'a Variables, name: &str) -> Option<&'a String> {
    variables.get(name).filter(|value| !value.trim().is_empty())
}

fn is_true(value: &str) -> bool {
    ["1", "true", "t", "yes", "y", "on"].contains(&&*value.trim().to_lowercase())
}

/// The URL in `NAME=URL`.
fn without_name(text: &str) -> &str {
    text.split_once('=').filter(|(name, _)| !name.contains([':', '/', '?'])).map_or(text, |(_, address)| address)
}

/// The user's directory for settings, and the machine's in descending precedence.
fn directories(variables: &Variables) -> (Option<PathBuf>, Vec<PathBuf>) {
    let home = set(variables, "HOME").map(PathBuf::from);
    let user = set(variables, "XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home?.join(".config")));
    let all = set(variables, "XDG_CONFIG_DIRS").cloned().unwrap_or_else(|| "/etc/xdg".to_owned());
    (user, all.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect())
}

fn files_of_pip(variables: &Variables) -> Vec<PathBuf> {
    let named = set(variables, "PIP_CONFIG_FILE").map(PathBuf::from);
    if named.as_deref() == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    let (user, all) = directories(variables);
    let home = set(variables, "HOME").map(PathBuf::from);
    let mut files: Vec<PathBuf> = all.iter().rev().map(|directory| directory.join("pip/pip.conf")).collect();
    files.push("/etc/pip.conf".into());
    if cfg!(target_os = "macos") {
        files.push("/Library/Application Support/pip/pip.conf".into());
    }
    if !named.as_ref().is_some_and(|file| file.is_file()) {
        files.extend(home.iter().map(|home| home.join(".pip/pip.conf")));
        files.extend(user.map(|user| user.join("pip/pip.conf")));
        if cfg!(target_os = "macos") {
            files.extend(home.map(|home| home.join("Library/Application Support/pip/pip.conf")));
        }
    }
    files.extend(set(variables, "VIRTUAL_ENV").map(|place| Path::new(place).join("pip.conf")));
    files.extend(named);
    files
}

/// The nearest settings of a project, then the user's, then the machine's.
fn files_of_uv(variables: &Variables, directory: &Path) -> Vec<PathBuf> {
    if let Some(file) = set(variables, "UV_CONFIG_FILE") {
        return vec![file.into()];
    }
    if set(variables, "UV_NO_CONFIG").is_some_and(|value| is_true(value)) {
        return Vec::new();
    }
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let of_project = directory.ancestors().find_map(|above| {
        let file = above.join("uv.toml");
        let has_table = |project: &Project| project.at(&["tool", "uv"]).is_some();
        if file.is_file() { Some(file) } else { Project::of(above).ok().flatten().filter(has_table).map(|it| it.file) }
    });
    let (user, all) = directories(variables);
    let user = user.map(|user| user.join("uv/uv.toml"));
    let all = all.into_iter().map(|directory| directory.join("uv/uv.toml")).chain(["/etc/uv/uv.toml".into()]);
    of_project.into_iter().chain(user).chain(all.into_iter().find(|file| file.is_file())).collect()
}

/// `section.name` to value, from the lines of a `pip.conf`; a value may continue in indented lines.
fn settings_of_pip(text: &str) -> BTreeMap<String, String> {
    let (mut found, mut section, mut last) = (BTreeMap::<String, String>::new(), String::new(), None::<String>);
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(value) = last.as_ref().and_then(|key| found.get_mut(key))
        {
            value.push_str(&format!("\n{bare}"));
        } else if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (section, last) = (name.to_owned(), None);
        } else if let Some((name, value)) = bare.split_once(['=', ':']) {
            let name = name.trim().to_lowercase().replace('_', "-");
            let key = format!("{section}.{}", name.trim_start_matches("--"));
            found.insert(key.clone(), value.trim().to_owned());
            last = Some(key);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Settings {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().display().to_string();
        std::fs::create_dir_all(place.path().join("repository/app")).unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let own = [("HOME", "{ROOT}/home"), ("XDG_CONFIG_DIRS", "{ROOT}/etc")];
        let all = own.iter().chain(variables);
        let all = all.map(|(name, value)| ((*name).to_owned(), value.replace("{ROOT}", &root))).collect();
        Settings::read(&all, &place.path().join("repository/app")).unwrap()
    }

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn all_settings_of_pip_are_known() {
        let conf = "[global]\nindex-url = http://a/\n[install]\nextra_index_url =\n  http://b/\n  http://c/\n";
        for file in ["home/.config/pip/pip.conf", "home/.pip/pip.conf", "etc/pip/pip.conf", "venv/pip.conf"] {
            let found = machine(&[("VIRTUAL_ENV", "{ROOT}/venv")], &[(file, conf)]).pip;
            assert_eq!(found.main.as_deref(), Some("http://a/"), "{file}");
            assert_eq!(found.extra, texts(&["http://b/", "http://c/"]), "{file}");
        }
        let user = ("home/.config/pip/pip.conf", conf);
        let named = machine(&[("PIP_CONFIG_FILE", "{ROOT}/own")], &[user, ("own", "[global]\nno-index: yes\n")]).pip;
        assert_eq!((named.main, named.none), (None, true));
        assert_eq!(machine(&[("PIP_CONFIG_FILE", "/dev/null")], &[user]).pip.main, None);
        let variables = machine(&[("PIP_INDEX_URL", "http://d/"), ("PIP_FIND_LINKS", "/x /y")], &[user]).pip;
        assert_eq!((variables.main.as_deref(), variables.links), (Some("http://d/"), texts(&["/x", "/y"])));
    }

    #[test]
    fn all_settings_of_uv_are_known() {
        let (user, toml) = ("home/.config/uv/uv.toml", "[[index]]\nurl = 'http://a/'\ndefault = true\n");
        let above = ("repository/uv.toml", "extra-index-url = ['http://b/']\n");
        let tool = ("repository/pyproject.toml", "[tool.uv]\nextra-index-url = ['http://b/']\n");
        for project in [above, tool] {
            let found = machine(&[], &[(user, toml), project]).uv;
            assert_eq!((found.main.as_deref(), found.extra), (Some("http://a/"), texts(&["http://b/"])));
        }
        let variables = [
            ("UV_DEFAULT_INDEX", "corp=http://c/?a=b"),
            ("UV_INDEX", "x=http://d/ http://e/"),
            ("UV_FIND_LINKS", "/x,/y"),
        ];
        let found = machine(&variables, &[(user, toml)]).uv;
        assert_eq!((found.main.as_deref(), found.extra), (Some("http://c/?a=b"), texts(&["http://d/", "http://e/"])));
        assert_eq!(found.links, texts(&["/x", "/y"]));
        assert_eq!(machine(&[("UV_NO_CONFIG", "1")], &[(user, toml)]).uv.main, None);
        assert_eq!(machine(&[("UV_CONFIG_FILE", "{ROOT}/own")], &[(user, toml), ("own", "")]).uv.main, None);
    }

    #[test]
    fn each_setting_belongs_to_the_key() {
        let conf = "home/.config/pip/pip.conf";
        let key = |variables: &[(&str, &str)], files: &[(&str, &str)]| {
            let read = machine(variables, files).read;
            read.into_iter()
                .map(|(name, text)| format!("{}={text}", name.rsplit('/').next().unwrap()))
                .collect::<Vec<_>>()
        };
        let settings = |address: &str| {
            let uv = format!("index-url = '{address}'\n");
            let pip = format!("[global]\nindex-url = {address}\n");
            vec![
                key(&[("PIP_INDEX_URL", address)], &[]),
                key(&[("UV_DEFAULT_INDEX", address)], &[]),
                key(&[("UV_INDEX", address)], &[]),
                key(&[], &[(conf, &pip)]),
                key(&[], &[("home/.config/uv/uv.toml", &uv)]),
                key(&[], &[("repository/uv.toml", &uv)]),
            ]
        };
        for (one, other) in settings("http://a/").into_iter().zip(settings("http://b/")) {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_only_the_other_tool_knows_is_passed_on() {
        let of = |main: Option<&str>, extra: &[&str]| Indexes {
            main: main.map(str::to_owned),
            extra: texts(extra),
            ..Indexes::default()
        };
        let settings = of(Some("http://a/"), &["http://b/simple"]);
        assert_eq!(lost(&settings, &[&Indexes::default()]), settings);
        assert_eq!(lost(&settings, &[&of(Some("http://c/"), &[])]), of(None, &["http://b/simple"]));
        assert_eq!(lost(&settings, &[&of(None, &["http://u:p@b/simple/"])]), of(Some("http://a/"), &[]));
        let none = Indexes { none: true, ..Indexes::default() };
        assert!(lost(&none, &[&Indexes::default()]).none && !lost(&none, &[&of(Some("http://c/"), &[])]).none);
    }
}
