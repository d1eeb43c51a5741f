//! The function's variables: `env`, then the file of `deploy.env_file`, then `deploy.env`. Each replaces the previous.

use super::settings::{Setting, Settings};
use super::writer::Writer;
use toml::{Table, Value};

struct Variable {
    name: String,
    /// `None` if it is neither a text nor a number.
    value: Option<Value>,
    setting: Setting,
}

pub(crate) fn read(writer: &mut Writer<'_>, settings: &mut Settings) {
    let mut variables = Vec::new();
    for (name, setting) in settings.take_all("env") {
        set(&mut variables, Variable { name, value: setting.text().map(Value::String), setting });
    }
    let file = settings.take("deploy", "env_file");
    let names = file.as_ref().and_then(|file| names_in(writer, file));
    if let Some(file) = &file {
        for name in names.iter().flatten() {
            let origin = Table::from_iter([("env".to_owned(), Value::String(name.clone()))]);
            set(&mut variables, Variable { name: name.clone(), value: Some(origin.into()), setting: file.clone() });
        }
    }
    let own = settings.take("deploy", "env_var");
    let pairs = own.as_ref().and_then(Setting::pairs);
    if let Some(own) = &own {
        for (name, value) in pairs.iter().flatten() {
            let value = Some(Value::String(value.clone()));
            set(&mut variables, Variable { name: name.clone(), value, setting: own.clone() });
        }
    }
    let mut writer = writer.within("environment");
    if let Some(file) = file {
        report_file(&mut writer, &file, names.is_some());
    }
    if let Some(own) = own.filter(|_| pairs.is_none()) {
        writer.unexpected(&own, "a table, or a list of `NAME=VALUE`");
    }
    for Variable { name, value, setting } in variables {
        if !writer.options.rules.accepts_variable(&name) {
            let what = format!("a function cannot have the variable `{name}`, or Lambda sets it itself");
            writer.left(setting.left(what, "delete it, or choose another name", false));
            continue;
        }
        match value {
            Some(value) => writer.key(&name, value),
            None => writer.unexpected(&setting, "a string"),
        }
    }
}

fn set(variables: &mut Vec<Variable>, new: Variable) {
    match variables.iter_mut().find(|known| known.name == new.name) {
        Some(known) => *known = new,
        None => variables.push(new),
    }
}

/// The names of a file's variables; `None` if it cannot be read. Its values are not read: a manifest must not contain
/// them.
fn names_in(writer: &Writer<'_>, file: &Setting) -> Option<Vec<String>> {
    let text = writer.options.files.text(&file.text()?)?;
    let name = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, _) = line.split_once('=')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| name.to_owned())
    };
    Some(text.lines().filter_map(name).collect())
}

fn report_file(writer: &mut Writer<'_>, file: &Setting, is_readable: bool) {
    let Some(path) = file.text() else { return writer.unexpected(file, "the path of a file") };
    let (what, advice) = if is_readable {
        let path = shlex::try_quote(&path).map_or_else(|_| path.clone(), |path| path.into_owned());
        let path = if path.contains('/') { path } else { format!("./{path}") };
        (
            "the manifest takes these variables from the shell in which lamstream runs".to_owned(),
            format!("run `set -a; . {path}; set +a` before each deploy"),
        )
    } else {
        (format!("`{path}` cannot be read here"), "list its variables here as `NAME = { env = \"NAME\" }`".to_owned())
    };
    writer.left(file.left(what, advice, true));
}
