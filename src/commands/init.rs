//! `lamstream init`: writes a manifest for the app in a directory, or a template.

mod files;

use super::session::Session;
use crate::cli::{Init, MANIFEST};
use crate::failure::{Failure, FailureKind};
use crate::init::{Found, SMALLEST, Survey, TEMPLATES, Template, manifest as manifest_for, survey, valid_name};
use crate::manifest;
use crate::report::{Answer, Extra, InitAnswer, Line};
use crate::text::{list, quoted};
use std::path::{Path, PathBuf};

const APP: &str = "app";
/// The schema beside a manifest, and the line by which editors find it.
const SCHEMA: &str = "deploy.schema.json";
const SCHEMA_LINE: &str = "#:schema ./deploy.schema.json\n";
/// Messages name this many apps at most.
const NAMED: usize = 10;

pub(super) async fn init(session: &Session, arguments: &Init) -> Result<Answer, Failure> {
    if arguments.list {
        return Ok(Extra::Templates(TEMPLATES.iter().map(|template| (template.name, template.about)).collect()).into());
    }
    if session.global.is_manifest_typed {
        return Err(Failure::usage("`init` writes `deploy.toml` into a directory, and takes no `--manifest`")
            .hint("name the directory: `lamstream init DIR`"));
    }
    let directory = &arguments.directory;
    if directory.exists() && !directory.is_dir() {
        return Err(Failure::usage(format!("`{}` is not a directory", directory.display())));
    }
    let schema = arguments.schema.then(|| arguments.manifest().with_file_name(SCHEMA));
    files::refuse_existing(&std::iter::once(arguments.manifest()).chain(schema).collect::<Vec<_>>())?;
    let named = arguments.template.as_deref().map(template).transpose()?;
    let template = match named {
        None if files::is_blank(directory) => Some(choose_template(session, directory).await?),
        named => named,
    };
    let app = arguments.name.clone().unwrap_or_else(|| valid_name(&files::name_of(directory), APP));
    match template {
        Some(template) => write_template(session, arguments, template, app),
        None => write_manifest(session, arguments, app).await,
    }
}

fn write_template(
    session: &Session,
    arguments: &Init,
    template: &'static Template,
    app: String,
) -> Result<Answer, Failure> {
    files::refuse_app(&arguments.directory)?;
    let mut files = template.files(&app, &files::installed(None));
    // Those of a new repository stay as they are.
    let kept = files.extract_if(.., |(path, _)| files::is_kept(&arguments.directory, path));
    let kept: Vec<&str> = kept.map(|(path, _)| path).collect();
    files.iter().filter(|(path, _)| *path == MANIFEST).try_for_each(|(path, text)| check(path, text))?;
    let text = |path: &str, text: &str| if path == MANIFEST { with_schema(arguments, text) } else { text.to_owned() };
    let placed = files.iter().map(|(path, old)| (files::placed(&arguments.directory, path), text(path, old)));
    let written = files::write(&arguments.directory, &placed.chain(schema_file(arguments)).collect::<Vec<_>>())?;
    session.console.note(&format!("wrote {}: {}", list::quoted_and(&written), template.about));
    if !kept.is_empty() {
        session.console.note(&format!("kept {}, without what the template has there", list::quoted_and(&kept)));
    }
    Ok(answer(session, InitAnswer { template: Some(template.name), ..unfinished(app, written) }))
}

async fn write_manifest(session: &Session, arguments: &Init, app: String) -> Result<Answer, Failure> {
    let directory = &arguments.directory;
    let tree = session.read("the source", async { files::gathered(directory) }).await??;
    let found = match survey(&tree, &files::installed(Some(&tree))) {
        Survey::Apps(apps) => choose_app(session, directory, apps).await?,
        Survey::Import { file, what, command } => return Err(to_import(directory, &file, what, command)),
        Survey::Nothing => return Err(nothing_found(directory)),
    };
    let text = with_schema(arguments, &manifest_for(&app, &found));
    check(MANIFEST, &text)?;
    let files: Vec<_> = std::iter::once((arguments.manifest(), text)).chain(schema_file(arguments)).collect();
    let written = files::write(directory, &files)?;
    session.console.note(&format!("wrote {}: {}", list::quoted_and(&written), placed_what(&found)));
    found.notes.iter().for_each(|note| session.console.note(&format!("note: {note}")));
    let found = InitAnswer { found: Some(found.what), notes: found.notes, ..unfinished(app, written) };
    Ok(answer(session, found))
}

/// The manifest, with the line that names its schema if it gets one.
fn with_schema(arguments: &Init, text: &str) -> String {
    let line = if arguments.schema { SCHEMA_LINE } else { "" };
    line.to_owned() + text
}

fn schema_file(arguments: &Init) -> Option<(PathBuf, String)> {
    let schema = || (arguments.manifest().with_file_name(SCHEMA), format!("{:#}\n", manifest::schema()));
    arguments.schema.then(schema)
}

fn unfinished(app: String, files: Vec<String>) -> InitAnswer {
    InitAnswer { app, files, template: None, found: None, notes: Vec::new(), next: String::new() }
}

/// Names the next command. With `--local`, the console adds the option itself.
fn answer(session: &Session, found: InitAnswer) -> Answer {
    let next = if session.global.local { "`lamstream deploy`" } else { "`lamstream deploy --local`" };
    session.console.note(&format!("next: {next}"));
    Extra::Init(Some(InitAnswer { next: next.to_owned(), ..found })).into()
}

/// lamstream must be able to read what it writes.
fn check(path: &str, text: &str) -> Result<(), Failure> {
    manifest::parse(text, None).map(drop).map_err(|problems| {
        let message = format!("`init` made a manifest that is not valid: {}", problems.render(path, text));
        Failure::new(FailureKind::Bug, message)
    })
}

fn template(name: &str) -> Result<&'static Template, Failure> {
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
        Failure::usage(format!("unknown template `{name}`; available templates: {}", names()))
            .hint("`--list` instead of `--template` shows what each is")
    })
}

fn names() -> String {
    list::quoted(TEMPLATES.iter().map(|template| template.name))
}

async fn choose_template(session: &Session, directory: &Path) -> Result<&'static Template, Failure> {
    if session.console.why_not_ask().is_some() {
        let what = match directory.exists() {
            true => format!("`{}` has no app yet", directory.display()),
            false => format!("`{}` does not exist", directory.display()),
        };
        let first = quoted(directory);
        return Err(Failure::usage(format!("{what}: choose a template to start from: {}", names()))
            .hint(format!("run `lamstream init {first} --template NAME`, such as `--template fastapi`")));
    }
    let rows = TEMPLATES.iter().map(|template| (template.name.to_owned(), template.about.to_owned())).collect();
    let nth = choose(session, "templates:", rows, "which one?").await?;
    Ok(&TEMPLATES[nth])
}

/// Of apps in one directory, the first. Of several directories, the one that you choose.
async fn choose_app(session: &Session, searched: &Path, mut apps: Vec<Found>) -> Result<Found, Failure> {
    let mut unique: Vec<Found> = Vec::new();
    for app in apps.drain(..) {
        match unique.iter_mut().find(|known| known.directory == app.directory) {
            Some(known) => known.notes.push(format!("the directory also has {}", app.what)),
            None => unique.push(app),
        }
    }
    if unique.len() == 1 {
        return unique.pop().ok_or_else(|| nothing_found(searched));
    }
    if session.console.why_not_ask().is_some() {
        let shown = |app: &Found| format!("`{}` ({})", app.directory, app.what);
        let mut named: Vec<String> = unique.iter().take(NAMED).map(shown).collect();
        if unique.len() > NAMED {
            named.push(format!("{} more", unique.len() - NAMED));
        }
        let first = quoted(files::placed(searched, &unique[0].directory));
        return Err(Failure::usage(format!("found {} apps: {}", unique.len(), named.join(", ")))
            .hint(format!("name the directory of one of them, such as `lamstream init {first}`")));
    }
    let rows = unique.iter().map(|app| (app.directory.clone(), app.what.clone())).collect();
    let nth = choose(session, "apps:", rows, "which one?").await?;
    Ok(unique.swap_remove(nth))
}

/// Shows rows, and asks for the number or the name of one of them.
async fn choose(session: &Session, title: &str, rows: Vec<(String, String)>, question: &str) -> Result<usize, Failure> {
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let row = |(nth, (name, what)): (usize, &(String, String))| {
        Line::plain(&format!("{:>3}  {name:widest$}  {what}", nth + 1))
    };
    let lines: Vec<Line> = std::iter::once(Line::plain(title)).chain(rows.iter().enumerate().map(row)).collect();
    let said = session.choose(&lines, &format!("{question} [1]")).await?;
    let by_number = said.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|nth| *nth < rows.len());
    let by_name = || rows.iter().position(|(name, _)| *name == said);
    match said.is_empty() {
        true => Ok(0),
        false => by_number.or_else(by_name).ok_or_else(Failure::declined),
    }
}

fn placed_what(found: &Found) -> String {
    match found.directory.is_empty() {
        true => found.what.clone(),
        false => format!("{} in `{}`", found.what, found.directory),
    }
}

fn to_import(directory: &Path, file: &str, what: &str, command: String) -> Failure {
    let (path, out) = (files::placed(directory, file), files::placed(directory, MANIFEST));
    let is_here = directory == Path::new(".");
    let command = match command.as_str() {
        _ if is_here => command,
        "import sam" => format!("{command} {} --out {}", quoted(&path), quoted(&out)),
        _ => format!("{command} {} --out {}", quoted(directory), quoted(&out)),
    };
    Failure::usage(format!("`{}` is {what}, which says more than the source", path.display()))
        .hint(format!("import it: `lamstream {command}`"))
        .hint("or name the app's own directory, to read only its source: `lamstream init DIR`")
}

fn nothing_found(directory: &Path) -> Failure {
    let message = format!(
        "found no app in `{}` that lamstream recognises: no crate with a server or a Lambda function, and no web app in \
         Python, JavaScript, TypeScript or Go",
        directory.display()
    );
    Failure::usage(message).hint("start a new app in another directory: `lamstream init DIR --template NAME`").hint(
        format!(
            "any server can be deployed: write `deploy.toml` yourself, as docs/manifest.md says, such as:\n{SMALLEST}"
        ),
    )
}
